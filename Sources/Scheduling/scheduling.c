#include "Scheduling.h"

#ifdef __linux__

#include <dirent.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// sched_setattr(2): the first published form; Debian 12's C library has no name for it.
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

enum {
    /// Nanoseconds. Most answers are made in one, and it is shorter than what the kernel gives who does not ask.
    SHORT = 1000 * 1000,
    /// The longest that the kernel gives.
    LONG = 100 * 1000 * 1000,
};

static void ask(pid_t thread, uint64_t turn) {
    struct attributes wanted = {0};
    if (syscall(SYS_sched_getattr, thread, &wanted, sizeof wanted, 0) != 0) return;
    // Whoever started us with another policy knows why.
    if (wanted.policy != SCHED_OTHER) return;
    wanted.size = sizeof wanted;
    wanted.runtime = turn;
    syscall(SYS_sched_setattr, thread, &wanted, 0);
}

static void ask_for_all(uint64_t turn) {
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL) return;
    for (struct dirent *entry = readdir(threads); entry != NULL; entry = readdir(threads)) {
        int thread = atoi(entry->d_name);
        if (thread > 0) ask(thread, turn);
    }
    closedir(threads);
}

void hirewire_prefer_short_turns(void) { ask_for_all(SHORT); }
void hirewire_prefer_long_turns(void) { ask_for_all(LONG); }

// On Linux, who 0 is the calling thread.
void hirewire_let_others_go_first(void) { setpriority(PRIO_PROCESS, 0, 10); }

#else

void hirewire_prefer_short_turns(void) {}
void hirewire_prefer_long_turns(void) {}
void hirewire_let_others_go_first(void) {}

#endif
