// How many blocks of memory this thread has asked for so far; always zero where that cannot be counted.
unsigned long allocations_of_this_thread(void);
