# An emulator of AWS, and the same calls by botocore. Writes the emulator's port; for each line "CALLERS ROUNDS" it reads, the
# seconds that an issue and a revocation take with so many callers. Ends when its input does.
import concurrent.futures
import pathlib
import subprocess
import sys
import time

import botocore.config
import botocore.session

# A process of its own, as for LeaseKit: Python runs one thread of a process at a time.
service = pathlib.Path(__file__).resolve().parents[3] / "Tests/LeaseKitAWSTests/Python/moto_service.py"
server = subprocess.Popen([sys.executable, service], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
port = int(server.stdout.readline())
print(port, flush=True)

DENY = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
ALLOW = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}'
client = botocore.session.get_session().create_client(
    "iam",
    region_name="us-east-1",
    endpoint_url=f"http://127.0.0.1:{port}",
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=botocore.config.Config(max_pool_connections=16),
)


def issue(name):
    client.create_user(UserName=name, Path="/baseline/", Tags=[{"Key": "lease", "Value": name}])
    client.put_user_policy(UserName=name, PolicyName="end", PolicyDocument=DENY)
    client.put_user_policy(UserName=name, PolicyName="role", PolicyDocument=ALLOW)
    return name, client.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]


def revoke(made):
    name, key = made
    client.delete_access_key(UserName=name, AccessKeyId=key)
    client.get_user(UserName=name)
    client.delete_user_policy(UserName=name, PolicyName="end")
    client.delete_user_policy(UserName=name, PolicyName="role")
    client.delete_user(UserName=name)


turn = 0
for line in sys.stdin:
    callers, rounds = map(int, line.split())
    turn += 1
    with concurrent.futures.ThreadPoolExecutor(callers) as pool:
        began = time.perf_counter()
        made = list(pool.map(issue, [f"baseline-{turn}-{number}" for number in range(rounds)]))
        issued = time.perf_counter()
        list(pool.map(revoke, made))
        revoked = time.perf_counter()
    print((issued - began) / rounds, (revoked - issued) / rounds, flush=True)
server.stdin.close()
server.wait()
