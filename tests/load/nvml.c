/* A driver's library with cards as the environment says, for the real calls of nvidia-ml-py. */
#include <stdlib.h>
#include <string.h>

typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory_t;
typedef struct {
    unsigned pid; unsigned long long used; unsigned instance, compute;
} process_t;
enum { OK = 0, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, TOO_SMALL = 7, NO_DRIVER = 9 };

static int asked(const char *name) { const char *said = getenv(name); return said ? atoi(said) : 0; }

int nvmlInitWithFlags(unsigned flags) { return asked("FAKE_NO_DRIVER") ? NO_DRIVER : OK; }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return code == NO_DRIVER ? "Driver Not Loaded" : "error"; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = asked("FAKE_CARDS"); return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **card) {
    *card = (void *)(size_t)(index + 1); return OK;
}
int nvmlDeviceGetName(void *card, char *name, unsigned size) {
    strncpy(name, "NVIDIA GeForce RTX 3060", size); return OK;
}
/* Handles from 100 on are parts that MIG has made. */
int nvmlDeviceGetMemoryInfo_v2(void *card, memory_t *memory) {
    if (asked("FAKE_NO_MEMORY")) return NO_PERMISSION;
    memory->used = (size_t)card * 1000; return OK;
}
int nvmlDeviceGetMigMode(void *card, unsigned *now, unsigned *later) {
    if (!asked("FAKE_MIG")) return NOT_SUPPORTED;
    *now = *later = 1; return OK;
}
int nvmlDeviceGetMaxMigDeviceCount(void *card, unsigned *count) { *count = 7; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *card, unsigned index, void **part) {
    if ((int)index >= asked("FAKE_MIG")) return NOT_FOUND;
    *part = (void *)(size_t)(100 + index); return OK;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *card, unsigned *count, process_t *found) {
    if (asked("FAKE_NO_PROCESSES")) return NO_PERMISSION;
    if ((int)(size_t)card != asked("FAKE_BUSY")) { *count = 0; return OK; }
    if (!found) { *count = 1; return TOO_SMALL; }
    *count = 1;
    memset(found, 0, sizeof *found);
    found->pid = asked("FAKE_PID");
    return OK;
}
