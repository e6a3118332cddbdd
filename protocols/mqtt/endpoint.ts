// Where a broker is, from its URL.

import { DroverError } from "../../runtime/index.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** @throws DROVER_CONFIG_INVALID for what is neither mqtt://host:port nor mqtts://host:port */
export function endpointOf(text: string): Endpoint {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw invalid(text, error);
  }
  const secure = url.protocol === "mqtts:" || url.protocol === "tls:";
  if ((!secure && url.protocol !== "mqtt:" && url.protocol !== "tcp:") || url.hostname === "") throw invalid(text, undefined);
  const part = (value: string): string | undefined => (value === "" ? undefined : decodeURIComponent(value));
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 8883 : 1883) : Number(url.port),
    secure,
    username: part(url.username),
    password: part(url.password),
  };
}

/** The password of a URL must not reach a log. */
function invalid(text: string, cause: unknown): DroverError {
  return new DroverError("DROVER_CONFIG_INVALID", `"${text.replace(/\/\/[^@/]*@/, "//...@").slice(0, 200)}" is no broker: expected mqtt://host:port or mqtts://host:port`, {
    cause,
  });
}
