// Waiting for what another thread does.

package struct PollTimeout: Error {}

/// Asks again and again until the answer is yes, for at most thirty seconds.
package func poll(_ isTrue: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try await !isTrue() {
        guard ContinuousClock.now < deadline else { throw PollTimeout() }
        try await Task.sleep(for: .milliseconds(2))
    }
}
