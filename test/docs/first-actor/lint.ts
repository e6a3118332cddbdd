// The lint configuration of the guide.

// #region config
import tseslint from "typescript-eslint";
import drover from "../../../runtime/eslint/index.ts";

export default [{ files: ["**/kitchen.ts"], languageOptions: { parser: tseslint.parser }, ...drover.configs.recommended }];
// #endregion
