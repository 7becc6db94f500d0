// A list without its pages.

public import DeviceModel

/// Every device that matches a query, fetched a page at a time as they are asked for.
///
/// Each page is the state at one moment. A device that matches throughout the walk comes exactly once, provided that
/// its values of the sort keys do not change meanwhile; by id, creation date or serial that is so in any case.
///
/// The walk goes by tokens: ``ListQuery/position`` says where it starts.
public struct DeviceSequence: AsyncSequence, Sendable {
    public typealias Element = Device
    public typealias Failure = RollcallError

    let client: RollcallClient
    let query: ListQuery
    let view: DeviceView

    /// One walk over the pages.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let client: RollcallClient
        private let view: DeviceView
        /// Where the next page is; nil after the last one.
        private var query: ListQuery?
        private var page = [Device]().makeIterator()

        fileprivate init(_ sequence: DeviceSequence) {
            self.client = sequence.client
            self.view = sequence.view
            self.query = sequence.query
        }

        /// The next device, or nil after the last.
        ///
        /// - Throws: ``RollcallError`` if a page cannot be had; the next call asks for the same page again.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(RollcallError) -> Device? {
            while true {
                if let device = self.page.next() {
                    return device
                }
                guard var query = self.query else { return nil }
                let page = try await self.client.listDevices(query, view: self.view)
                self.page = page.items.makeIterator()
                query.position = .token(page.nextPageToken)
                self.query = page.nextPageToken.isEmpty ? nil : query
            }
        }

        public mutating func next() async throws(RollcallError) -> Device? {
            try await self.next(isolation: nil)
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }
}
