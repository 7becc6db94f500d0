// What a terminal acts on, and so is written out wherever text may be shown on one.

extension Unicode.Scalar {
    /// Whether a terminal would act on the scalar instead of showing it, or show what follows in another order.
    ///
    /// All of them lie in the Basic Multilingual Plane.
    package var steersTerminal: Bool {
        switch self.value {
        case 0...0x1F, 0x7F...0x9F: true  // Control characters: C0, DEL and C1.
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true  // Directional marks and overrides.
        case 0x2028, 0x2029: true  // Line and paragraph separators.
        default: false
        }
    }
}
