// Where a module listens, from the URL that the node's configuration has for its place.
//
// A1. A name is looked up once at a time: mDNS may take longer than a try, nothing ends a lookup, and four that hang stop every file of the process.

import { lookup as lookUp } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { DroverError } from "../../runtime/ports/index.ts";

export interface ModuleAddress {
  readonly url: URL;
  readonly host: string;
  readonly port: number;
}

const HTTP_PORT = 80;

/** @throws DROVER_CONFIG_INVALID for what is no plain http URL: a module has no TLS and no login */
export function moduleAddress(text: string): ModuleAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:") throw new DroverError("DROVER_CONFIG_INVALID", `the upload address of a module is no http URL: ${text}`);
  if (url.username !== "" || url.password !== "") throw new DroverError("DROVER_CONFIG_INVALID", "the upload address of a module has no user and password: modules ask for none");
  return { url, host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port === "" ? HTTP_PORT : Number(url.port) };
}

/** A1. IPv4 first: that is what modules speak. */
export function oneLookup(): (host: string) => Promise<{ readonly address: string; readonly family: number }> {
  let pending: Promise<{ readonly address: string; readonly family: number }> | undefined;
  return (host) => {
    const family = isIP(host);
    if (family !== 0) return Promise.resolve({ address: host, family });
    pending ??= new Promise((resolve, reject) => {
      lookUp(host, { verbatim: false }, (error, address, found) => {
        pending = undefined;
        if (error === null) resolve({ address, family: found });
        else reject(error);
      });
    });
    return pending;
  };
}

/** The same for a request that looks up by itself. */
export const lookupForRequest: LookupFunction = (host, _options, done) => {
  lookUp(host, { verbatim: false }, done);
};
