// A signal that is handed to an author's code: what a listener throws, or its promise rejects with, is that code's failure. Node would throw it where nobody can catch it, and end the
// process (hosting N8). In all else it is the signal that it was: `AbortSignal.any`, timers and `fetch` take it, and `onabort` adds its listener as everybody does.
//
// G1. Listeners of a signal that somebody makes of it (`AbortSignal.any`) are that one's own.

import { attempt } from "./when-rejected.ts";

type Hears = (event: Event) => unknown;
type Listener = Hears | { readonly handleEvent: Hears };

const guarded = new WeakSet<AbortSignal>();

/** The same signal; the first to hear keeps hearing. @param failed must not throw */
export function guardedSignal(signal: AbortSignal, failed: (error: unknown) => void): AbortSignal {
  if (guarded.has(signal)) return signal;
  guarded.add(signal);
  const add = signal.addEventListener.bind(signal) as (...given: unknown[]) => void;
  const remove = signal.removeEventListener.bind(signal) as (...given: unknown[]) => void;
  /** The same one for each, so that a listener is added once and found when it is removed. */
  const quiet = new WeakMap<object, (event: Event) => void>();
  const quieted = (listener: Listener): ((event: Event) => void) => {
    const known = quiet.get(listener);
    if (known !== undefined) return known;
    const made = (event: Event): void => {
      attempt(() => (typeof listener === "function" ? listener.call(signal, event) : listener.handleEvent(event)), failed);
    };
    quiet.set(listener, made);
    // Another signal that is to remove it knows this one.
    quiet.set(made, made);
    return made;
  };
  const own = {
    addEventListener: (type: unknown, listener: unknown, ...more: unknown[]) => {
      add(type, isListener(listener) ? quieted(listener) : listener, ...more);
    },
    removeEventListener: (type: unknown, listener: unknown, ...more: unknown[]) => {
      remove(type, isListener(listener) ? quieted(listener) : listener, ...more);
    },
  };
  for (const [name, value] of Object.entries(own)) Object.defineProperty(signal, name, { value, writable: true, configurable: true });
  return signal;
}

/** Whatever else is given, the signal itself knows what to say. */
function isListener(listener: unknown): listener is Listener {
  return typeof listener === "function" || (typeof listener === "object" && listener !== null);
}
