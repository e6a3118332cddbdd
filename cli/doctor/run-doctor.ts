import { type Call, EXIT, type ExitCode } from "../terminal/index.ts";
export async function runDoctor(_options: object, _call: Call): Promise<ExitCode> {
  return EXIT.ok;
}
