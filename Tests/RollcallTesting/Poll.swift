// Waiting for what another thread does.

/// How long a test waits for what has to come, before it takes it that nothing will.
///
/// A bound against hanging alone: a step of a test can wait a minute for its turn where a thousand others run on two
/// cores.
package let patience = Duration.seconds(300)

package struct PollTimeout: Error {}

/// Asks again and again until the answer is yes, for as long as there is ``patience``.
package func poll(_ isTrue: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + patience
    while try await !isTrue() {
        guard ContinuousClock.now < deadline else { throw PollTimeout() }
        try await Task.sleep(for: .milliseconds(2))
    }
}
