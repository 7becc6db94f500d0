// Repeated fields of messages.

internal import ProtobufC

extension Arena {
    /// The pointers of a repeated field to what `message` makes of each value.
    func pointers<Values: Collection, Message>(
        _ values: Values, _ message: (Values.Element) -> UnsafeMutablePointer<Message>
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Message>?> {
        let pointers: UnsafeMutablePointer<UnsafeMutablePointer<Message>?> = self.makePointerArray(count: values.count)
        for (index, value) in values.enumerated() {
            pointers[index] = message(value)
        }
        return pointers
    }
}
