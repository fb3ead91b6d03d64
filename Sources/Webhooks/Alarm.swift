#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a thread sleeps by until it is woken or its time is over: time that passes, whatever the wall clock is set to.
///
/// A `DispatchSemaphore` waits for a moment of the wall clock on Linux: set back by an hour, a wait of milliseconds would
/// become one of an hour.
///
/// `@unchecked`: the mutex guards the flag, and the pointers never change.
final class Alarm: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isRung = false

    init() {
        pthread_mutex_init(mutex, nil)
        #if canImport(Darwin)
            pthread_cond_init(condition, nil)
        #else
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(condition, &attributes)
            pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Wakes who waits, or else who waits next.
    func ring() {
        pthread_mutex_lock(mutex)
        isRung = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    func wait(milliseconds: Int) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let end = Self.now + milliseconds * 1_000_000
        while !isRung {
            let left = end - Self.now
            guard left > 0 else { return }
            #if canImport(Darwin)
                var time = timespec(tv_sec: left / 1_000_000_000, tv_nsec: left % 1_000_000_000)
                pthread_cond_timedwait_relative_np(condition, mutex, &time)
            #else
                var time = timespec(tv_sec: end / 1_000_000_000, tv_nsec: end % 1_000_000_000)
                pthread_cond_timedwait(condition, mutex, &time)
            #endif
        }
        isRung = false
    }

    /// Nanoseconds.
    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
