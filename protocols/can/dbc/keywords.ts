// Words of a DBC file that are no names: those that open a statement, and the one for no node.

/** Keywords that may stand in the list behind NS_. */
export const NEW_SYMBOLS: ReadonlySet<string> = new Set(
  (
    "NS_DESC_ CM_ BA_DEF_ BA_ VAL_ CAT_DEF_ CAT_ FILTER BA_DEF_DEF_ EV_DATA_ ENVVAR_DATA_ SGTYPE_ SGTYPE_VAL_ BA_DEF_SGTYPE_ BA_SGTYPE_ SIG_TYPE_REF_ VAL_TABLE_ SIG_GROUP_ " +
    "SIG_VALTYPE_ SIGTYPE_VALTYPE_ BO_TX_BU_ BA_DEF_REL_ BA_REL_ BA_DEF_DEF_REL_ BA_SGTYPE_REL_ BU_SG_REL_ BU_EV_REL_ BU_BO_REL_ SG_MUL_VAL_"
  ).split(" "),
);
export const KEYWORDS: ReadonlySet<string> = new Set([...NEW_SYMBOLS, "VERSION", "NS_", "BS_", "BU_", "BO_", "SG_", "EV_"]);

/** Stands where a node must and none is meant. */
export const NO_NODE = "Vector__XXX";
