// The values that calls take and give belong to the client's interface: one import brings both.

@_exported public import DeviceModel
