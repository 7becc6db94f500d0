internal import Glibc

extension Arena {
    /// The calling thread's own arena, made on its first use and freed when the thread ends.
    ///
    /// ## Concurrency
    /// For code that neither suspends nor hands the arena on; scopes of several users on one thread nest.
    package static var current: Arena {
        guard let address = pthread_getspecific(Self.key) else { return Self.makeCurrent() }
        return Unmanaged<Arena>.fromOpaque(address).takeUnretainedValue()
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = pthread_key_create(&key) { address in
            if let address { Unmanaged<Arena>.fromOpaque(address).release() }
        }
        precondition(code == 0, "The process has a key left for the arenas of its threads.")
        return key
    }()

    @inline(never)
    private static func makeCurrent() -> Arena {
        let arena = Arena()
        let code = pthread_setspecific(Self.key, Unmanaged.passRetained(arena).toOpaque())
        precondition(code == 0, "A thread can hold on to its arena.")
        return arena
    }
}
