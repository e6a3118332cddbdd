// What whoever adds, keeps, removes or restarts a child is told. It agrees with what runs then.

/** `deadline`: its supervisor has not started within 5 s of the request; `full`: too many requests wait for that. Nothing was done. */
export interface StillStarting {
  readonly kind: "deadline" | "full";
}

export type AddOutcome =
  | { readonly kind: "started" }
  /** `kept`: the supervisor goes on trying; otherwise the child is forgotten. */
  | { readonly kind: "start-failed"; readonly error: Error; readonly kept: boolean }
  /** `not-running`: the supervisor does not run, or it ended or the child was removed before the child ran; the child is forgotten. */
  | { readonly kind: "id-taken" | "not-running" | "not-one-for-one" }
  | StillStarting;

export type RemoveOutcome =
  | { readonly kind: "removed" | "no-such-child" | "not-one-for-one" }
  /** It would come back: it is still kept, and runs. */
  | { readonly kind: "still-kept"; readonly error: Error };

export type KeepOutcome =
  | AddOutcome
  /** It could not be written down, and was not started. */
  | { readonly kind: "not-kept"; readonly error: Error };

export type RestartOutcome =
  /** `not-running`: the supervisor does not run, or it ended meanwhile. */
  | { readonly kind: "started" | "no-such-child" | "not-running" }
  /** It stays stopped until it is asked for again, or its supervisor or its group is restarted; a temporary one is forgotten. A supervisor with `backoff` goes on trying. */
  | { readonly kind: "start-failed"; readonly error: Error }
  | StillStarting;
