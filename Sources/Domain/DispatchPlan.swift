/// Which endpoint may send next: round-robin over those that have due work, within the limits of requests in flight.
///
/// A plain value without clock or I/O. Its owner tells it what happens, asks ``next()`` until it answers nil, and sends what
/// it is told to. Every call costs the same however many endpoints there are.
///
/// An endpoint that has just timed out is a *suspect*: one slot until it succeeds, and all suspects together half of the
/// slots, so that slow and dead endpoints leave the others theirs.
public struct DispatchPlan: Sendable {
    public struct Limits: Equatable, Sendable {
        /// Requests in flight: to one endpoint, to all together, and to all suspects together.
        public var endpoint: Int
        public var all: Int
        public var suspects: Int

        public init(endpoint: Int = 4, all: Int = 64, suspects: Int = 32) {
            self.endpoint = endpoint
            self.all = all
            self.suspects = suspects
        }
    }

    public enum Result: Sendable {
        case succeeded
        /// Any failure but a time-out: makes no suspect, and clears none.
        case failed
        case timedOut
    }

    private struct Lane {
        var inFlight = 0
        /// Of its one living place in a line; 0 when it stands in none.
        var ticket: UInt64 = 0
        var hasWork = false
        var isSuspect = false
    }

    public let limits: Limits
    public private(set) var inFlight = 0
    public private(set) var suspectsInFlight = 0
    private var lanes: [Int64: Lane] = [:]
    private var healthy = Line()
    private var suspects = Line()
    private var lastTicket: UInt64 = 0

    public init(limits: Limits = Limits()) { self.limits = limits }

    /// The endpoint has due work, as far as is known; saying so again changes nothing.
    public mutating func add(_ endpoint: Int64) {
        var lane = lanes[endpoint] ?? Lane()
        lane.hasWork = true
        settle(endpoint, lane)
    }

    /// Takes the endpoint for a suspect from the start: one that was failing when the service last stopped.
    public mutating func suspect(_ endpoint: Int64) {
        var lane = lanes[endpoint] ?? Lane()
        setSuspect(true, &lane)
        settle(endpoint, lane)
    }

    /// The endpoint that may send one delivery now. Its slot is taken until ``finish(_:_:)`` or ``runDry(_:)``.
    public mutating func next() -> Int64? {
        guard inFlight < limits.all else { return nil }
        let first = healthy.first(in: lanes)
        let second = suspectsInFlight < limits.suspects ? suspects.first(in: lanes) : nil
        let endpoint: Int64
        switch (first, second) {
        case (let first?, let second?) where second.ticket < first.ticket: endpoint = second.endpoint
        case (let first?, _): endpoint = first.endpoint
        case (nil, let second?): endpoint = second.endpoint
        case (nil, nil): return nil
        }
        guard var lane = lanes[endpoint] else { return nil }
        if lane.isSuspect { suspects.removeFirst() } else { healthy.removeFirst() }
        lane.ticket = 0
        lane.inFlight += 1
        count(1, lane)
        settle(endpoint, lane)
        return endpoint
    }

    /// A delivery of the endpoint is over, and its slot free.
    public mutating func finish(_ endpoint: Int64, _ result: Result) {
        guard var lane = lanes[endpoint], lane.inFlight > 0 else { return }
        lane.inFlight -= 1
        count(-1, lane)
        switch result {
        case .succeeded: setSuspect(false, &lane)
        case .timedOut: setSuspect(true, &lane)
        case .failed: break
        }
        settle(endpoint, lane)
    }

    /// The endpoint was given a slot by ``next()`` and has nothing to send: the slot is free again, and the endpoint out of
    /// the round until ``add(_:)``.
    public mutating func runDry(_ endpoint: Int64) {
        guard var lane = lanes[endpoint], lane.inFlight > 0 else { return }
        lane.inFlight -= 1
        count(-1, lane)
        lane.hasWork = false
        settle(endpoint, lane)
    }

    /// The endpoint is disabled or removed: it gets no slot until ``add(_:)``, and is no suspect then. What it has in flight
    /// still ends with ``finish(_:_:)``.
    public mutating func remove(_ endpoint: Int64) {
        guard var lane = lanes[endpoint] else { return }
        setSuspect(false, &lane)
        lane.hasWork = false
        settle(endpoint, lane)
    }

    private mutating func count(_ step: Int, _ lane: Lane) {
        inFlight += step
        if lane.isSuspect { suspectsInFlight += step }
    }

    private mutating func setSuspect(_ isSuspect: Bool, _ lane: inout Lane) {
        guard lane.isSuspect != isSuspect else { return }
        lane.isSuspect = isSuspect
        suspectsInFlight += isSuspect ? lane.inFlight : -lane.inFlight
        // Its place is in the other line; the old one is passed over.
        lane.ticket = 0
    }

    /// Keeps the lane, at the end of its line if it may send and stands in none yet. A lane that says nothing is forgotten.
    private mutating func settle(_ endpoint: Int64, _ lane: Lane) {
        var lane = lane
        let maySend = lane.hasWork && lane.inFlight < (lane.isSuspect ? 1 : limits.endpoint)
        if !maySend {
            lane.ticket = 0
        } else if lane.ticket == 0 {
            lastTicket += 1
            lane.ticket = lastTicket
            let place = Line.Place(endpoint: endpoint, ticket: lastTicket)
            if lane.isSuspect { suspects.append(place) } else { healthy.append(place) }
        }
        lanes[endpoint] = lane.hasWork || lane.isSuspect || lane.inFlight > 0 ? lane : nil
    }

    /// First in, first out; places whose ticket is no longer their lane's are passed over.
    private struct Line {
        struct Place {
            let endpoint: Int64
            let ticket: UInt64
        }

        private var places: [Place] = []
        private var head = 0

        mutating func append(_ place: Place) { places.append(place) }

        mutating func first(in lanes: [Int64: Lane]) -> Place? {
            while head < places.count {
                let place = places[head]
                if lanes[place.endpoint]?.ticket == place.ticket { return place }
                removeFirst()
            }
            return nil
        }

        mutating func removeFirst() {
            head += 1
            // Moving the rest down costs one step for each that has left.
            if head >= 64, head * 2 >= places.count {
                places.removeFirst(head)
                head = 0
            }
        }
    }
}
