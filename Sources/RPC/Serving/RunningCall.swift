// A call that is not answered at once, as its transport keeps it.

package import NIOCore

/// A call that is answered later.
package struct RunningCall: Sendable {
    package enum Work: Sendable {
        case deferred(CallClaim)
        case stream(StreamCall)
    }

    package let key: CallKey
    package let work: Work
    package let measured: MeasuredCall
    private let timer: NIOScheduledCallback?

    /// Starts the clock of a call; once `deadline` passes, `mailbox` is told.
    package init(
        _ key: CallKey, _ work: Work, deadline: NIODeadline, mailbox: LoopMailbox<ServerItem>, measured: MeasuredCall
    ) {
        self.key = key
        self.work = work
        self.measured = measured
        // An event loop that takes no timers any more is about to end the connection, and the call with it.
        self.timer =
            deadline == .distantFuture
            ? nil
            : try? mailbox.eventLoop.scheduleCallback(at: deadline, handler: DeadlineTimer(key: key, mailbox: mailbox))
    }

    /// Stops the clock of a call that has its outcome.
    package func stopTimer() {
        self.timer?.cancel()
    }

    /// Ends what runs for the call; nothing is sent.
    package func end(_ status: Status) {
        self.stopTimer()
        switch self.work {
        case .deferred(let claim):
            claim.abandon()
        case .stream(let stream):
            stream.end(status)
        }
    }
}

/// Reports that a call's deadline has passed.
private struct DeadlineTimer: NIOScheduledCallbackHandler, Sendable {
    let key: CallKey
    let mailbox: LoopMailbox<ServerItem>

    func handleScheduledCallback(eventLoop: some EventLoop) {
        self.mailbox.post(.deadlinePassed(self.key))
    }
}
