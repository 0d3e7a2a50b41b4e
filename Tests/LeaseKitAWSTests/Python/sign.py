# Signs requests with botocore. Reads lines of JSON from the first file and writes lines of JSON to the second.
import base64
import datetime
import json
import sys

import botocore.auth
import botocore.awsrequest
import botocore.credentials


def sign(case):
    now = datetime.datetime.fromtimestamp(case["time"], datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda *_, **__: now
    request = botocore.awsrequest.AWSRequest(
        method=case["method"], url=case["url"], data=base64.b64decode(case["body"])
    )
    for name, value in case["headers"]:
        request.headers[name] = value
    credentials = botocore.credentials.Credentials(case["id"], case["secret"], case["token"])
    place = (credentials, case["service"], case["region"])
    if case["lifetime"] is None:
        auth = botocore.auth.SigV4Auth(*place)
    else:
        auth = botocore.auth.SigV4QueryAuth(*place, expires=case["lifetime"])
    canonical = []
    original = auth.canonical_request

    def listening(request):
        canonical.append(original(request))
        return canonical[-1]

    auth.canonical_request = listening
    auth.add_auth(request)
    return {
        "authorization": request.headers.get("Authorization"),
        "url": request.url,
        "canonical": canonical[-1],
    }


with open(sys.argv[1], encoding="utf-8") as cases, open(sys.argv[2], "w", encoding="utf-8") as answers:
    for line in cases:
        answers.write(json.dumps(sign(json.loads(line))) + "\n")
