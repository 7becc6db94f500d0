// A group as readers see it, without a copy.

package import DeviceModel

/// Devices that share a value under each key, while their texts lie elsewhere: valid only during the call that shows it.
package struct BorrowedGroup {
    package let first: BorrowedGroupValue
    /// Nil where devices are grouped by one key.
    package let second: BorrowedGroupValue?
    package let count: Int64
    /// Of the devices of all groups together, shown or not.
    package let totalCount: Int64
}

/// What the devices of a group have in common under one key: a ``GroupValue`` with its text where it lies, as UTF-8 bytes.
package enum BorrowedGroupValue {
    case none
    case text(UnsafeRawBufferPointer)
    case int(Int64)
    case float(Double)
    case bool(Bool)
    case activity(Activity)
}
