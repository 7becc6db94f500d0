// What those who watch ask of the registry.

internal import DeviceModel
internal import DeviceStore
internal import Dispatch

extension Registry {
    /// Ends every watch, and takes no more of them: to be called when a drain begins.
    package func endWatches() {
        self.feed.end(RegistryError(.unavailable, .draining, "The server is shutting down."))
    }

    /// How many watch now.
    package var watcherCount: Int {
        self.feed.watcherCount
    }

    /// Runs what reads the feed of the store, and so blocks, on a thread of its own.
    func readingFeed<Value: Sendable>(
        _ body: @escaping @Sendable () throws(RegistryError) -> Value
    ) async throws(RegistryError) -> Value {
        let result: Result<Value, RegistryError> = await withCheckedContinuation { continuation in
            self.feedQueue.async {
                // The store is closed after all of these, and nobody waits for what they read.
                if let ending = self.feed.ending { return continuation.resume(returning: .failure(ending)) }
                do throws(RegistryError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    // MARK: The store's feed; each blocks

    func storedChanges(
        after first: Revision, through last: Revision, of devices: Set<DeviceID>?
    ) throws(RegistryError) -> [DeviceChange] {
        do {
            return try self.store.changes(after: first, through: last, of: devices)
        } catch {
            throw .feedUnreadable(error)
        }
    }

    func feedStart() throws(RegistryError) -> Revision {
        do {
            return try self.store.feedStart()
        } catch {
            throw .feedUnreadable(error)
        }
    }

    func retiredNames(releases: Set<ReleaseID>, cohorts: Set<CohortID>) throws(RegistryError) -> RetiredNames {
        do {
            return try self.store.retiredNames(releases: releases, cohorts: cohorts)
        } catch {
            throw .feedUnreadable(error)
        }
    }

    func retirement(ofProject slug: String) throws(RegistryError) -> Revision? {
        do {
            return try self.store.retirement(ofProject: slug)
        } catch {
            throw .feedUnreadable(error)
        }
    }
}

extension RegistryError {
    fileprivate static func feedUnreadable(_ error: StoreError) -> RegistryError {
        if error.code == .corrupt {
            return .revisionOutOfRange("The history of changes is damaged: \(error.message).")
        }
        return RegistryError(
            .unavailable, .storeUnavailable,
            "The history of changes cannot be read now: \(error.message); try again later.")
    }
}
