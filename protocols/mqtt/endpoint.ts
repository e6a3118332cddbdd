// Where a broker is, from its URL.

import { DroverError } from "../../runtime/ports/index.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** @param setting the key of a configuration that says so, for the message @throws DROVER_CONFIG_INVALID for what is neither mqtt://host:port nor mqtts://host:port */
export function endpointOf(text: string, setting?: string): Endpoint {
  try {
    return partsOf(new URL(text));
  } catch (cause) {
    // The password of a URL must not reach a log.
    const shown = text.replace(/\/\/[^@/]*@/, "//...@").slice(0, 200);
    const message = `"${shown}" is no broker (expected mqtt://host:port or mqtts://host:port)`;
    throw new DroverError("DROVER_CONFIG_INVALID", setting === undefined ? message : `${setting}: ${message}`, { cause });
  }
}

function partsOf(url: URL): Endpoint {
  const secure = url.protocol === "mqtts:" || url.protocol === "tls:";
  if ((!secure && url.protocol !== "mqtt:" && url.protocol !== "tcp:") || url.hostname === "") throw new Error("another protocol, or no host");
  const part = (value: string): string | undefined => (value === "" ? undefined : decodeURIComponent(value));
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 8883 : 1883) : Number(url.port),
    secure,
    username: part(url.username),
    password: part(url.password),
  };
}
