// rollcall.v1.Explanation.

package import CRollcallProto
package import DeviceModel
package import ProtobufC

extension Arena {
    /// `explanation` as a message.
    package func message(_ explanation: QueryExplanation) -> UnsafeMutablePointer<Rollcall__V1__Explanation> {
        let message = self.make(Messages.explanation)
        message.pointee.plan = self.text(explanation.plan.rawValue)
        (message.pointee.steps, message.pointee.n_steps) = self.texts(explanation.steps)
        message.pointee.estimated_candidate_count = explanation.estimatedCandidateCount
        message.pointee.estimated_match_count = explanation.estimatedMatchCount
        message.pointee.candidate_count = explanation.candidateCount
        message.pointee.match_count = explanation.matchCount
        message.pointee.estimated_duration = self.message(nanoseconds: explanation.estimatedNanoseconds)
        message.pointee.duration = self.message(nanoseconds: explanation.elapsedNanoseconds)
        message.pointee.slice_count = explanation.sliceCount
        return message
    }
}

extension QueryExplanation {
    /// - Throws: ``WireValueError`` where the plan is unknown, or a duration is absent or out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__Explanation>) throws(WireValueError) {
        let message = message.pointee
        guard let plan = Plan(rawValue: message.plan.string) else {
            throw WireValueError("explanation.plan", "is \(quoted(message.plan.string)), which is not a plan")
        }
        self.init(
            plan: plan,
            steps: strings(message.steps, count: message.n_steps),
            estimatedCandidateCount: message.estimated_candidate_count,
            estimatedMatchCount: message.estimated_match_count,
            candidateCount: message.candidate_count,
            matchCount: message.match_count,
            estimatedNanoseconds: try nanoseconds(
                of: required(message.estimated_duration, "explanation.estimated_duration"),
                field: "explanation.estimated_duration"),
            elapsedNanoseconds: try nanoseconds(
                of: required(message.duration, "explanation.duration"), field: "explanation.duration"),
            sliceCount: message.slice_count
        )
    }
}
