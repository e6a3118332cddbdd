// One bus as a supervised child: opens its source, hands frames on, fails when its source cannot be opened or cannot go on, or a batch cannot be worked on. Its supervisor starts it anew.

import type { ModelBus } from "../actors/vehicle-file/index.ts";
import { lifeOf, type Startable } from "../runtime/index.ts";
import type { BusOpener } from "./bus-opener.ts";
import type { Pipeline } from "./pipeline.ts";

export function busChild(bus: ModelBus, open: BusOpener, pipeline: Pipeline): Startable {
  return lifeOf(async ({ ready, clock, random, log }, signal) => {
    const [bitrateBps, ...others] = bus.bitratesBps;
    const request = { bus: bus.name, mode: bus.mode, bitrateBps: others.length === 0 ? bitrateBps : undefined, clock, random, log };
    const source = opened(() => open(request));
    let end = "stopped";
    let fail: (error: unknown) => void = () => undefined;
    const failed = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const asked = new Promise<void>((resolve) => {
      const stop = (): void => {
        resolve();
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
    pipeline.opened(bus.name, source);
    try {
      await source.start({
        onFrames: (batch) => {
          // A throw must not unwind into the source's own work.
          try {
            pipeline.take(bus.name, source, batch);
          } catch (error) {
            fail(error);
          }
        },
        onState: (state) => {
          if (state.kind === "down") log.info({ bus: bus.name, reason: state.reason }, "bus down");
          pipeline.stateChanged(bus.name, source, state);
          if (state.kind === "down" && state.cause !== undefined) fail(state.cause);
        },
      });
      pipeline.stateChanged(bus.name, source, source.state);
      ready();
      await Promise.race([asked, failed]);
    } catch (error) {
      end = messageOf(error);
      throw error;
    } finally {
      pipeline.closed(bus.name, source, end);
      await source.stop();
    }
  });

  function opened<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      pipeline.closed(bus.name, undefined, messageOf(error));
      throw error;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
