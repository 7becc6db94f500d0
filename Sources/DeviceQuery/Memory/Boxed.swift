// A value that is seldom there, out of the way.

/// An optional value behind a pointer: what holds it is handed on without room for it.
@propertyWrapper
package enum Boxed<Value> {
    case none
    indirect case some(Value)

    package init() {
        self = .none
    }

    package var wrappedValue: Value? {
        get {
            switch self {
            case .none: nil
            case .some(let value): value
            }
        }
        set { self = newValue.map(Boxed.some) ?? .none }
    }
}

extension Boxed: Equatable where Value: Equatable {}
extension Boxed: Hashable where Value: Hashable {}
extension Boxed: Sendable where Value: Sendable {}
