#ifndef HIREWIRE_SCHEDULING_H
#define HIREWIRE_SCHEDULING_H

/// Asks the kernel for turns of a millisecond on the processor for this process's threads, and for those that they start: a
/// thread that wakes for a request then goes before a computation of another process, instead of waiting for the end of
/// its turn (some 4 ms), and is left the time to answer. The share of the processor stays the same.
///
/// Linux 6.12 and later; elsewhere, and where it is not allowed, nothing changes.
/// Source: sched_setattr(2), and "Lag and latency" in the kernel's documentation of its EEVDF scheduler.
void hirewire_prefer_short_turns(void);

/// The same for turns of a tenth of a second: for a long computation, which whoever wakes may interrupt at once.
void hirewire_prefer_long_turns(void);

/// Takes the calling thread a tenth of the usual share of a processor that others want too (nice 10); all of an idle one.
/// For long work beside which short requests are answered. Linux; elsewhere nothing changes.
void hirewire_let_others_go_first(void);

#endif
