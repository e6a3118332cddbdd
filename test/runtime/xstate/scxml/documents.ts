// Documents for assertions of the W3C's SCXML test suite that apply to a host of machines, by their numbers there. Each is written anew from what its assertion means, and ends in
// `pass` where it holds.

export interface Document {
  readonly number: string;
  readonly holds: string;
  readonly source: string;
  /** XState itself ends elsewhere: then it is only compared. */
  readonly deviates?: string;
}

const ANY = `<transition event="*" target="fail"/>`;
const on = (event: string, target: string, more = ""): string => `<transition event="${event}" target="${target}" ${more}/>`;
const when = (cond: string): string => `<transition cond="${cond}" target="pass"/><transition target="fail"/>`;
const entry = (...content: readonly string[]): string => `<onentry>${content.join("")}</onentry>`;
const exit = (...content: readonly string[]): string => `<onexit>${content.join("")}</onexit>`;
const raised = (...events: readonly string[]): string => events.map((event) => `<raise event="${event}"/>`).join("");
const set = (location: string, expr: string): string => `<assign location="${location}" expr="${expr}"/>`;
const add = (letter: string): string => set("trail", `trail + '${letter}'`);
const state = (id: string, ...content: readonly string[]): string => `<state id="${id}">${content.join("")}</state>`;
const parallel = (id: string, ...content: readonly string[]): string => `<parallel id="${id}">${content.join("")}</parallel>`;
const data = (values: Readonly<Record<string, string>>): string =>
  `<datamodel>${Object.entries(values)
    .map(([id, expr]) => `<data id="${id}" expr="${expr}"/>`)
    .join("")}</datamodel>`;
const ends = `<final id="pass"/><final id="fail"/>`;
const scxml = (...content: readonly string[]): string => `<scxml>${content.join("")}${ends}</scxml>`;
const invoke = (id: string, document: string, more = ""): string => `<invoke id="${id}">${more}<content>${document}</content></invoke>`;
const child = (...content: readonly string[]): string => `<scxml>${content.join("")}</scxml>`;
const late = (ms: number, event = "timeout"): string => `<send event="${event}" delay="${String(ms)}ms"/>`;

const made: readonly (readonly [string, string, string, string?])[] = [
  ["144", "raised events are taken in the order of their raising", scxml(state("s0", entry(raised("foo", "bar")), on("foo", "s1"), ANY), state("s1", on("bar", "pass"), ANY))],
  [
    "147",
    "the first true branch is executed, and no other",
    scxml(
      data({ n: "0" }),
      state(
        "s0",
        entry(`<if cond="false">${raised("bar")}${set("n", "n + 1")}<elseif cond="true"/>${raised("foo")}<else/>${raised("baz")}${set("n", "n + 1")}</if>`),
        `<transition event="foo" cond="n === 0" target="pass"/>`,
        ANY,
      ),
    ),
  ],
  [
    "148",
    "else is executed where no condition holds",
    scxml(
      data({ n: "0" }),
      state(
        "s0",
        entry(`<if cond="false">${raised("bar")}<elseif cond="false"/>${raised("baz")}<else/>${set("n", "n + 1")}${raised("foo")}</if>`),
        `<transition event="foo" cond="n === 1" target="pass"/>`,
        ANY,
      ),
    ),
  ],
  [
    "149",
    "without an else nothing is executed where no condition holds",
    scxml(data({ n: "0" }), state("s0", entry(`<if cond="false">${raised("foo")}<elseif cond="false"/>${raised("bar")}</if>`, raised("bat")), on("bat", "pass"), ANY)),
  ],
  ["150", "foreach declares its item", scxml(data({ list: "[1, 2, 3]", item: "undefined" }), state("s0", entry(`<foreach array="list" item="item"/>`), when("item === 3")))],
  [
    "151",
    "foreach declares its index",
    scxml(data({ list: "[1, 2, 3]", item: "undefined", index: "undefined" }), state("s0", entry(`<foreach array="list" item="item" index="index"/>`), when("index === 2"))),
  ],
  [
    "153",
    "foreach goes in the order of the list",
    scxml(
      data({ list: "[1, 2, 3]", item: "0", trail: "''" }),
      state("s0", entry(`<foreach array="list" item="item">${set("trail", "trail + item")}</foreach>`), when("trail === '123'")),
    ),
  ],
  [
    "155",
    "foreach executes its content for each item",
    scxml(data({ list: "[1, 2, 3]", item: "0", sum: "0" }), state("s0", entry(`<foreach array="list" item="item">${set("sum", "sum + item")}</foreach>`), when("sum === 6"))),
  ],
  [
    "158",
    "executable content is executed in its order",
    scxml(
      data({ trail: "''" }),
      state("s0", entry(add("a"), raised("event1"), add("b"), raised("event2")), on("event1", "s1"), ANY),
      state("s1", `<transition event="event2" cond="trail === 'ab'" target="pass"/>`, ANY),
    ),
  ],
  [
    "172",
    "eventexpr has the value of the time of sending",
    scxml(data({ name: "'event1'" }), state("s0", entry(set("name", "'event2'"), `<send eventexpr="name"/>`), on("event2", "pass"), ANY)),
  ],
  [
    "175",
    "delayexpr has the value of the time of sending",
    scxml(data({ wait: "'500ms'" }), state("s0", entry(set("wait", "'100ms'"), `<send event="event1" delayexpr="wait"/>`, late(300)), on("event1", "pass"), ANY)),
  ],
  [
    "176",
    "param has the value of the time of sending",
    scxml(
      data({ n: "1" }),
      state(
        "s0",
        entry(set("n", "2"), `<send event="event1"><param name="aParam" expr="n"/></send>`),
        `<transition event="event1" cond="_event.data.aParam === 2" target="pass"/>`,
        ANY,
      ),
    ),
  ],
  ["185", "a delay is kept", scxml(state("s0", entry(late(100, "event2"), `<send event="event1"/>`), on("event1", "s1"), ANY), state("s1", on("event2", "pass"), ANY))],
  [
    "186",
    "arguments are those of the time of sending, not of delivery",
    scxml(
      data({ n: "1" }),
      state(
        "s0",
        entry(`<send event="event1" delay="100ms"><param name="aParam" expr="n"/></send>`, set("n", "2")),
        `<transition event="event1" cond="_event.data.aParam === 1" target="pass"/>`,
        ANY,
      ),
    ),
  ],
  [
    "187",
    "delayed events of a session that has ended are not sent",
    scxml(
      state(
        "s0",
        entry(late(500)),
        invoke("kid", child(state("sub0", entry(`<send event="childToParent" target="#_parent" delay="100ms"/>`), `<transition target="subFinal"/>`), `<final id="subFinal"/>`)),
        on("childToParent", "fail"),
        on("timeout", "pass"),
      ),
    ),
  ],
  [
    "189",
    "#_internal is the internal queue, which comes first",
    scxml(state("s0", entry(`<send event="event2"/><send event="event1" target="#_internal"/>`), on("event1", "pass"), on("event2", "fail"))),
  ],
  [
    "191",
    "#_parent is the session that invoked",
    scxml(
      state(
        "s0",
        entry(late(500)),
        invoke("kid", child(state("sub0", entry(`<send target="#_parent" event="childToParent"/>`), `<transition target="subFinal"/>`), `<final id="subFinal"/>`)),
        on("childToParent", "pass"),
        ANY,
      ),
    ),
  ],
  [
    "192",
    "#_id is the session that was invoked",
    scxml(
      state(
        "s0",
        entry(late(500)),
        invoke("kid", child(state("sub0", entry(`<send target="#_parent" event="childToParent"/>`), on("parentToChild", "subFinal")), `<final id="subFinal"/>`)),
        `<transition event="childToParent"><send target="#_kid" event="parentToChild"/></transition>`,
        on("done.invoke", "pass"),
        on("timeout", "fail"),
      ),
    ),
  ],
  [
    "205",
    "the data of an event arrive as they were sent",
    scxml(state("s0", entry(`<send event="event1"><param name="aParam" expr="1"/></send>`), `<transition event="event1" cond="_event.data.aParam === 1" target="pass"/>`, ANY)),
  ],
  [
    "207",
    "a delayed event of another session cannot be cancelled",
    scxml(
      state(
        "s0",
        entry(late(500)),
        invoke(
          "kid",
          child(
            state(
              "sub0",
              entry(`<send event="event1" id="foo" delay="100ms"/><send event="event2" delay="150ms"/><send target="#_parent" event="childToParent"/>`),
              on("event1", "subFinal1"),
              on("*", "subFinal2"),
            ),
            `<final id="subFinal1">${entry(`<send target="#_parent" event="pass"/>`)}</final><final id="subFinal2">${entry(`<send target="#_parent" event="fail"/>`)}</final>`,
          ),
        ),
        `<transition event="childToParent"><cancel sendid="foo"/></transition>`,
        on("pass", "pass"),
        on("fail", "fail"),
        on("timeout", "fail"),
      ),
    ),
  ],
  [
    "208",
    "a cancelled event is not delivered",
    scxml(state("s0", entry(`<send id="foo" event="event1" delay="100ms"/>`, late(150, "event2"), `<cancel sendid="foo"/>`), on("event2", "pass"), ANY)),
  ],
  [
    "210",
    "sendidexpr has the value of the time of cancelling",
    scxml(
      data({ name: "'bar'" }),
      state("s0", entry(`<send id="foo" event="event1" delay="100ms"/>`, late(150, "event2"), set("name", "'foo'"), `<cancel sendidexpr="name"/>`), on("event2", "pass"), ANY),
    ),
  ],
  ["220", "a document can be invoked", scxml(state("s0", entry(late(500)), invoke("kid", child(`<final id="subFinal"/>`)), on("done.invoke", "pass"), ANY))],
  [
    "226",
    "what is invoked is passed parameters",
    scxml(
      data({ n: "1" }),
      state(
        "s0",
        entry(late(500)),
        invoke(
          "kid",
          child(
            data({ aParam: "0" }),
            state("sub0", `<transition cond="aParam === 1" target="subFinal"><send target="#_parent" event="varBound"/></transition>`),
            `<final id="subFinal"/>`,
          ),
          `<param name="aParam" expr="n"/>`,
        ),
        on("varBound", "pass"),
        ANY,
      ),
    ),
  ],
  ["228", "the end of what was invoked carries its id", scxml(state("s0", entry(late(500)), invoke("foo", child(`<final id="subFinal"/>`)), on("done.invoke.foo", "pass"), ANY))],
  [
    "232",
    "a parent may get many events of one child",
    scxml(
      data({ n: "0" }),
      state(
        "s0",
        entry(late(500)),
        invoke(
          "kid",
          child(
            state("sub0", entry(`<send target="#_parent" event="childToParent1"/><send target="#_parent" event="childToParent2"/>`), `<transition target="subFinal"/>`),
            `<final id="subFinal"/>`,
          ),
        ),
        `<transition event="childToParent1">${set("n", "n + 1")}</transition><transition event="childToParent2">${set("n", "n + 10")}</transition>`,
        `<transition event="done.invoke" cond="n === 11" target="pass"/>`,
        on("done.invoke", "fail"),
        on("timeout", "fail"),
      ),
    ),
  ],
  [
    "235",
    "the end of what was invoked is told under its id alone",
    scxml(state("s0", entry(late(500)), invoke("foo", child(`<final id="subFinal"/>`)), on("done.invoke.bar", "fail"), on("done.invoke.foo", "pass"), ANY)),
  ],
  [
    "236",
    "the end is the last that is heard of a child",
    scxml(
      state(
        "s0",
        entry(late(500)),
        invoke("kid", child(`<final id="subFinal">${exit(`<send target="#_parent" event="childToParent"/>`)}${entry(`<send target="#_parent" event="childToParent"/>`)}</final>`)),
        on("childToParent", "s1"),
        on("done.invoke", "fail"),
      ),
      state("s1", on("done.invoke", "s2"), on("timeout", "fail")),
      state("s2", on("timeout", "pass"), ANY),
    ),
  ],
  [
    "237",
    "what a left state had invoked is cancelled",
    scxml(
      state("s0", entry(late(100, "timeout1")), invoke("kid", child(state("sub0", entry(late(200)), on("timeout", "subFinal")), `<final id="subFinal"/>`)), on("timeout1", "s1")),
      state("s1", entry(late(400, "timeout2")), on("done.invoke", "fail"), on("timeout2", "pass")),
    ),
  ],
  [
    "240",
    "a name list and parameters pass values",
    scxml(
      data({ a: "1" }),
      state(
        "s0",
        entry(late(500)),
        `<invoke id="kid" namelist="a"><content>${child(data({ a: "0" }), state("sub0", `<transition cond="a === 1" target="end"><send target="#_parent" event="success"/></transition><transition target="end"><send target="#_parent" event="failure"/></transition>`), `<final id="end"/>`)}</content></invoke>`,
        on("success", "pass"),
        ANY,
      ),
    ),
  ],
  [
    "243",
    "a parameter counts instead of the document's own value",
    scxml(
      state(
        "s0",
        entry(late(500)),
        invoke(
          "kid",
          child(
            data({ a: "0" }),
            state("sub0", `<transition cond="a === 1" target="end"><send target="#_parent" event="success"/></transition><transition target="end"/>`),
            `<final id="end"/>`,
          ),
          `<param name="a" expr="1"/>`,
        ),
        on("success", "pass"),
        ANY,
      ),
    ),
  ],
  [
    "245",
    "a parameter that the document does not have is not taken",
    scxml(
      state(
        "s0",
        entry(late(500)),
        invoke(
          "kid",
          child(
            data({ a: "3" }),
            state(
              "sub0",
              `<transition cond="typeof b === 'undefined' &amp;&amp; a === 3" target="end"><send target="#_parent" event="success"/></transition><transition target="end"/>`,
            ),
            `<final id="end"/>`,
          ),
          `<param name="b" expr="1"/>`,
        ),
        on("success", "pass"),
        ANY,
      ),
    ),
  ],
  [
    "247",
    "the end of what was invoked is told",
    scxml(
      state(
        "s0",
        entry(late(500)),
        invoke("kid", child(state("sub0", on("go", "end"), entry(late(50, "go"))), `<final id="end"/>`)),
        on("done.invoke", "pass"),
        on("timeout", "fail"),
      ),
    ),
  ],
  [
    "250",
    "what is cancelled runs its exits",
    scxml(
      state(
        "s0",
        entry(late(100)),
        invoke("kid", child(state("sub0", exit(`<log label="left" expr="'sub0'"/>`), state("sub00", exit(`<log label="left" expr="'sub00'"/>`))))),
        on("timeout", "pass"),
      ),
    ),
  ],
  [
    "252",
    "nothing of a cancelled child is heard",
    scxml(
      state(
        "s0",
        entry(late(50)),
        invoke("kid", child(state("sub0", entry(late(500)), on("timeout", "end"), exit(`<send target="#_parent" event="childToParent"/>`)), `<final id="end"/>`)),
        on("timeout", "s1"),
        on("childToParent", "fail"),
      ),
      state("s1", entry(late(800)), on("childToParent", "fail"), on("done.invoke", "fail"), on("timeout", "pass")),
    ),
  ],
  [
    "276",
    "a value that is passed counts instead of the default",
    scxml(
      state(
        "s0",
        invoke(
          "kid",
          child(
            data({ a: "0" }),
            state(
              "s",
              `<transition cond="a === 1" target="end"><send target="#_parent" event="event1"/></transition><transition target="end"><send target="#_parent" event="event0"/></transition>`,
            ),
            `<final id="end"/>`,
          ),
          `<param name="a" expr="1"/>`,
        ),
        on("event1", "pass"),
        on("event0", "fail"),
      ),
    ),
  ],
  ["279", "data are there before any state is entered", scxml(data({ a: "1" }), state("s0", when("a === 1")))],
  ["287", "a value may be assigned to a place", scxml(data({ a: "0" }), state("s0", entry(set("a", "a + 1")), when("a === 1")))],
  [
    "294",
    "donedata are the data of done.state",
    scxml(
      state(
        "s0",
        `<initial><transition target="s01"/></initial>`,
        `<state id="s01"><transition target="s02"/></state><final id="s02"><donedata><param name="a" expr="1"/></donedata></final>`,
        `<transition event="done.state.s0" cond="_event.data.a === 1" target="s1"/>`,
        on("done.state.s0", "fail"),
      ),
      state("s1", `<final id="s11"><donedata><content expr="'foo'"/></donedata></final>`, `<transition event="done.state.s1" cond="_event.data === 'foo'" target="pass"/>`, ANY),
    ),
  ],
  ["310", "In() says whether a state is active", scxml(parallel("p", state("s0", `<transition cond="In('s1')" target="pass"/><transition target="fail"/>`), state("s1")))],
  [
    "318",
    "the event is bound through all of its transition's content",
    scxml(
      data({ name: "''" }),
      state("s0", entry(raised("foo")), on("foo", "s1"), ANY),
      state("s1", entry(raised("bar"), set("name", "_event.name")), `<transition event="bar" cond="name === 'foo'" target="pass"/>`, ANY),
    ),
  ],
  [
    "342",
    "the name of an event is what eventexpr said",
    scxml(
      data({ name: "'foo'", heard: "''" }),
      state("s0", entry(`<send eventexpr="name"/>`), `<transition event="foo" target="s1">${set("heard", "_event.name")}</transition>`, ANY),
      state("s1", when("heard === name")),
    ),
  ],
  ["355", "without a word the first state is entered", scxml(state("s0", `<transition target="pass"/>`), state("s1", `<transition target="fail"/>`))],
  [
    "364",
    "initial states by attribute, by element, and by order",
    `<scxml initial="s1">${state("s1", `<initial><transition target="s11 s12"/></initial>`, parallel("sp", state("r1", state("r10", on("in", "fail")), state("s11", `<transition cond="In('s12')" target="s2"/>`)), state("r2", state("r20"), state("s12"))))}${state("s2", state("s21", `<transition target="pass"/>`), state("s22", `<transition target="fail"/>`))}${ends}</scxml>`,
  ],
  [
    "372",
    "done.state follows the entry of the final state",
    scxml(
      data({ a: "1" }),
      `<state id="s0" initial="s0final">${on("done.state.s0", "s1")}${ANY}<final id="s0final">${entry(set("a", "2"))}${exit(set("a", "3"))}</final></state>`,
      state("s1", when("a === 3")),
    ),
  ],
  ["375", "entries run in their order", scxml(state("s0", entry(raised("event1")), entry(raised("event2")), on("event1", "s1"), ANY), state("s1", on("event2", "pass"), ANY))],
  [
    "377",
    "exits run in their order",
    scxml(state("s0", exit(raised("event1")), exit(raised("event2")), `<transition target="s1"/>`), state("s1", on("event1", "s2"), ANY), state("s2", on("event2", "pass"), ANY)),
  ],
  [
    "387",
    "a history without a past goes to its default, shallow and deep",
    `<scxml initial="s3">${state("s0", `<initial><transition target="s01"/></initial><history type="shallow" id="s0HistShallow"><transition target="s02"/></history>`, state("s01", state("s011")), state("s02", state("s021", entry(raised("enteringS021"))), state("s022")), on("enteringS021", "s4"), ANY)}${state("s1", `<initial><transition target="s11"/></initial><history type="deep" id="s1HistDeep"><transition target="s122"/></history>`, state("s11", state("s111")), state("s12", state("s121"), state("s122", entry(raised("enteringS122")))), on("enteringS122", "pass"), ANY)}${state("s3", `<transition target="s0HistShallow"/>`)}${state("s4", `<transition target="s1HistDeep"/>`)}${ends}</scxml>`,
  ],
  [
    "388",
    "a history goes where it was, shallow and deep",
    scxml(
      data({ n: "0" }),
      `<state id="s0" initial="s012">${entry(set("n", "n + 1"))}${on("entering", "s1", `cond="n === 1"`)}<transition event="entering" cond="n === 2" target="s2"/><transition event="entering" cond="n === 3" target="pass"/><transition event="shallow" cond="n === 3" target="pass"/>${ANY}<history type="shallow" id="shallow"><transition target="s02"/></history><history type="deep" id="deep"><transition target="s022"/></history>${state("s01", state("s011", entry(raised("shallow"))), state("s012", entry(raised("entering"))))}${state("s02", state("s021"), state("s022"))}</state>`,
      state("s1", `<transition target="deep"/>`),
      state("s2", `<transition target="shallow"/>`),
    ),
  ],
  ["396", "an event is matched by its name", scxml(state("s0", entry(raised("foo")), `<transition event="foo" cond="_event.name === 'foo'" target="pass"/>`, ANY))],
  [
    "399",
    "descriptors match whole words, prefixes, lists and everything",
    scxml(
      state("s0", entry(raised("foo")), on("foo bar", "s1"), ANY),
      state("s1", entry(raised("bar")), on("foo bar", "s2"), ANY),
      state("s2", entry(raised("foo.zoo")), on("foo bar", "s3"), ANY),
      state("s3", entry(raised("foos")), on("foo", "fail"), on("foos", "s4")),
      state("s4", entry(raised("foo.zoo")), on("foo.*", "s5"), ANY),
      state("s5", entry(raised("foo")), on("*", "pass")),
    ),
  ],
  [
    "403a",
    "inner transitions come first, then in their order, then the ancestor's",
    scxml(
      `<state id="s0" initial="s01">${on("event1", "fail")}${on("event2", "pass")}${state("s01", entry(raised("event1")), on("event1", "s02"), ANY)}${state("s02", entry(raised("event2")), on("event1", "fail"), `<transition event="event2" cond="false" target="fail"/>`)}</state>`,
    ),
  ],
  [
    "403b",
    "one transition that two regions select is taken once",
    scxml(
      data({ n: "0" }),
      state(
        "s0",
        parallel("p0", `<transition event="event1">${set("n", "n + 1")}</transition>`, state("p0s1"), state("p0s2")),
        entry(raised("event1", "event2")),
        `<transition event="event2" cond="n === 1" target="pass"/>`,
        on("event2", "fail"),
      ),
    ),
  ],
  [
    "403c",
    "of transitions that conflict the one of the first region is taken",
    scxml(
      data({ n: "0" }),
      state(
        "s0",
        entry(raised("event1", "event2", "end")),
        parallel(
          "p0",
          state("p0s1", `<transition event="event1"/><transition event="event2"/>`),
          state("p0s2", `<transition event="event1" target="p0s1">${set("n", "n + 1")}</transition>`),
          state("p0s3", on("event1", "fail"), on("event2", "s1")),
          state("p0s4", `<transition event="event2">${set("n", "n + 10")}</transition>`),
        ),
        on("end", "fail"),
      ),
      state("s1", `<transition event="end" cond="n === 1 || n === 11" target="pass"/>`, on("end", "fail")),
    ),
  ],
  [
    "404",
    "states are left inside out, and from the last to the first",
    scxml(
      data({ trail: "''" }),
      parallel("p", exit(add("p")), state("s1", exit(add("1"))), state("s2", exit(add("2")), state("s21", exit(add("i")))), `<transition target="end"/>`),
      state("end", when("trail === 'i21p'")),
    ),
  ],
  [
    "405",
    "the content of transitions runs after the exits, in the order of the states",
    scxml(
      data({ trail: "''" }),
      parallel(
        "p",
        state("s1", state("s11", exit(add("a")), `<transition target="s12">${add("c")}</transition>`), state("s12")),
        state("s2", state("s21", exit(add("b")), `<transition target="s22">${add("d")}</transition>`), state("s22", `<transition target="end"/>`)),
      ),
      state("end", when("trail === 'bacd'")),
    ),
  ],
  [
    "406",
    "states are entered outside in, after the content of the transition",
    scxml(
      data({ trail: "''" }),
      state("s0", `<transition target="p">${add("t")}</transition>`),
      parallel(
        "p",
        entry(add("p")),
        state("s1", entry(add("1"))),
        state("s2", entry(add("2")), state("s21", entry(add("i")))),
        `<transition event="end" target="check"/>`,
        entry(raised("end")),
      ),
      state("check", when("trail === 'tp12i'")),
    ),
  ],
  ["407", "an exit runs when its state is left", scxml(data({ n: "0" }), state("s0", exit(set("n", "n + 1")), `<transition target="s1"/>`), state("s1", when("n === 1")))],
  [
    "412",
    "the content of an initial transition runs between the entries",
    scxml(
      data({ trail: "''" }),
      state("s0", entry(add("o")), `<initial><transition target="s01">${add("i")}</transition></initial>`, state("s01", entry(add("c")), when("trail === 'oic'"))),
    ),
  ],
  [
    "413",
    "the configuration is the one that the initial states demand",
    `<scxml initial="s2p112 s2p122">${state("s1", `<transition target="fail"/>`)}${state("s2", parallel("s2p1", state("s2p11", state("s2p111", `<transition target="fail"/>`), state("s2p112", `<transition cond="In('s2p122')" target="pass"/>`)), state("s2p12", state("s2p121", `<transition target="fail"/>`), state("s2p122", `<transition cond="In('s2p112')" target="pass"/>`))))}${ends}</scxml>`,
  ],
  [
    "416",
    "done.state follows the final child of a compound state",
    scxml(state("s1", `<state id="s11" initial="s111">${on("done.state.s11", "pass")}${state("s111", `<transition target="s11final"/>`)}<final id="s11final"/></state>`)),
  ],
  [
    "417",
    "done.state of a parallel state follows when all regions are done",
    scxml(
      state(
        "s1",
        parallel(
          "s1p1",
          on("done.state.s1p1", "pass"),
          state("s1p11", state("s1p111", `<transition target="s1p11f"/>`), `<final id="s1p11f"/>`),
          state("s1p12", state("s1p121", `<transition target="s1p12f"/>`), `<final id="s1p12f"/>`),
        ),
        entry(late(200)),
        on("timeout", "fail"),
      ),
    ),
  ],
  [
    "419",
    "eventless transitions come before events",
    scxml(state("s1", entry(raised("internalEvent"), `<send event="externalEvent"/>`), on("*", "fail"), `<transition target="pass"/>`)),
  ],
  [
    "421",
    "internal events come before external ones",
    scxml(
      state(
        "s1",
        entry(`<send event="externalEvent"/>`, raised("internalEvent1", "internalEvent2", "internalEvent3")),
        on("externalEvent", "fail"),
        state("s11", on("internalEvent3", "s12")),
        state("s12", on("internalEvent4", "fail"), on("externalEvent", "pass")),
      ),
    ),
  ],
  [
    "422",
    "only states that are entered and not left in the macrostep invoke",
    scxml(
      data({ n: "0" }),
      state(
        "s1",
        entry(late(300)),
        `<transition event="invoked">${set("n", "n + 1")}</transition><transition event="timeout" cond="n === 2" target="pass"/>`,
        on("timeout", "fail"),
        state("s11", invoke("one", child(`<final id="e1">${entry(`<send target="#_parent" event="invoked"/>`)}</final>`)), `<transition target="s12"/>`),
        state("s12", invoke("two", child(`<final id="e2">${entry(`<send target="#_parent" event="invoked"/>`)}</final>`))),
        invoke("zero", child(`<final id="e0">${entry(`<send target="#_parent" event="invoked"/>`)}</final>`)),
      ),
    ),
  ],
  [
    "423",
    "external events are taken until one is enabled",
    scxml(
      state("s0", entry(`<send event="externalEvent1"/>`, late(50, "externalEvent2"), raised("internalEvent")), on("internalEvent", "s1"), ANY),
      state("s1", on("externalEvent2", "pass"), on("internalEvent", "fail")),
    ),
  ],
  [
    "495",
    "a send without a target is an external event",
    scxml(state("s0", entry(`<send event="event1"/><send event="event2" target="#_internal"/>`), on("event1", "fail"), on("event2", "s1")), state("s1", on("event1", "pass"), ANY)),
  ],
  [
    "503",
    "a transition without a target leaves and enters nothing",
    scxml(
      data({ left: "0", taken: "0" }),
      state("s1", entry(raised("foo", "bar")), `<transition target="s2"/>`),
      state(
        "s2",
        exit(set("left", "left + 1")),
        `<transition event="foo">${set("taken", "taken + 1")}</transition><transition event="bar" cond="left === 0 &amp;&amp; taken === 1" target="pass"/>`,
        on("bar", "fail"),
      ),
    ),
  ],
  [
    "504",
    "an external transition leaves all that its least common ancestor holds",
    scxml(
      data({ trail: "''" }),
      state("s1", entry(raised("foo", "bar")), `<transition target="p"/>`),
      state(
        "s2",
        exit(add("o")),
        parallel(
          "p",
          exit(add("p")),
          on("foo", "ps1"),
          `<transition event="bar" cond="trail === 'bap' || trail === 'bapo'" target="pass"/>`,
          on("bar", "fail"),
          state("ps1", exit(add("a"))),
          state("ps2", exit(add("b"))),
        ),
      ),
    ),
  ],
  [
    "505",
    "an internal transition does not leave its source",
    scxml(
      data({ outer: "0", inner: "0", taken: "0" }),
      state(
        "s1",
        entry(raised("foo", "bar")),
        exit(set("outer", "outer + 1")),
        `<transition event="foo" type="internal" target="s11">${set("taken", "taken + 1")}</transition><transition event="bar" cond="outer === 0 &amp;&amp; inner === 1 &amp;&amp; taken === 1" target="pass"/>`,
        on("bar", "fail"),
        state("s11", exit(set("inner", "inner + 1"))),
      ),
    ),
  ],
  [
    "506",
    "an internal transition to its own state leaves it",
    scxml(
      data({ outer: "0", inner: "0" }),
      state("s1", entry(raised("foo", "bar")), `<transition target="s2"/>`),
      state(
        "s2",
        exit(set("outer", "outer + 1")),
        `<transition event="foo" type="internal" target="s2"/><transition event="bar" cond="outer === 1 &amp;&amp; inner === 1" target="pass"/>`,
        on("bar", "fail"),
        state("s21", exit(set("inner", "inner + 1"))),
      ),
    ),
    "XState takes a transition to itself for one that stays",
  ],
  [
    "525",
    "foreach goes over the list as it was",
    scxml(
      data({ list: "[1, 2, 3]", item: "0", n: "0" }),
      state("s0", entry(`<foreach array="list" item="item">${set("list", "[...list, 4]")}${set("n", "n + 1")}</foreach>`), when("n === 3")),
    ),
  ],
  [
    "527",
    "the content of donedata is what done.state carries",
    scxml(
      `<state id="s0" initial="s01">${state("s01", `<transition target="s02"/>`)}<final id="s02"><donedata><content expr="'foo'"/></donedata></final><transition event="done.state.s0" cond="_event.data === 'foo'" target="pass"/>${ANY}</state>`,
    ),
  ],
  [
    "529",
    "the content of donedata may stand there itself",
    scxml(
      `<state id="s0" initial="s01">${state("s01", `<transition target="s02"/>`)}<final id="s02"><donedata><content>21</content></donedata></final><transition event="done.state.s0" cond="_event.data === 21" target="pass"/>${ANY}</state>`,
    ),
  ],
  [
    "533",
    "an internal transition of a parallel state leaves it",
    scxml(
      data({ trail: "''" }),
      state("s1", entry(raised("foo", "bar")), `<transition target="p"/>`),
      parallel(
        "p",
        exit(add("p")),
        `<transition event="foo" type="internal" target="ps1"/><transition event="bar" cond="trail === 'bap'" target="pass"/>`,
        on("bar", "fail"),
        state("ps1", exit(add("a"))),
        state("ps2", exit(add("b"))),
      ),
    ),
    "XState keeps the parallel state",
  ],
  ["550", "the value of a datum is computed", scxml(data({ a: "1 + 1" }), state("s0", when("a === 2")))],
  [
    "560",
    "pairs of names and values are the data of an event",
    scxml(
      state(
        "s0",
        entry(`<send event="foo"><param name="a" expr="1"/><param name="b" expr="'x'"/></send>`),
        `<transition event="foo" cond="_event.data.a === 1 &amp;&amp; _event.data.b === 'x'" target="pass"/>`,
        ANY,
      ),
    ),
  ],
  [
    "570",
    "regions are done before their parallel state",
    scxml(
      data({ n: "0" }),
      parallel(
        "p0",
        entry(late(300), raised("e1", "e2")),
        `<transition event="done.state.p0s1">${set("n", "n + 1")}</transition><transition event="done.state.p0s2" target="s1"/>`,
        on("timeout", "fail"),
        state("p0s1", state("p0s11", on("e1", "p0s1final")), `<final id="p0s1final"/>`),
        state("p0s2", state("p0s21", on("e2", "p0s2final")), `<final id="p0s2final"/>`),
      ),
      state("s1", `<transition event="done.state.p0" cond="n === 1" target="pass"/>`, ANY),
    ),
  ],
  [
    "576",
    "deep initial states of a parallel state are all entered",
    `<scxml initial="s11p112 s11p122">${state("s0", `<transition target="fail"/>`)}${state("s1", entry(late(300)), on("timeout", "fail"), parallel("s11p1", state("s11p11", state("s11p111"), state("s11p112", entry(raised("in-s11p112")))), state("s11p12", state("s11p121"), state("s11p122", on("in-s11p112", "pass")))))}${ends}</scxml>`,
  ],
  [
    "580",
    "a history is never part of the configuration",
    scxml(
      data({ n: "0" }),
      parallel(
        "p1",
        entry(late(300)),
        state("s0", `<transition cond="In('sh1')" target="fail"/>`, on("timeout", "fail")),
        `<state id="s1"><initial><transition target="sh1"/></initial><history id="sh1"><transition target="s11"/></history>${state("s11", `<transition target="s12"/>`)}${state("s12")}<transition cond="In('sh1')" target="fail"/><transition cond="n === 0" target="sh1"/><transition cond="n === 1" target="pass"/>${exit(set("n", "n + 1"))}</state>`,
      ),
    ),
  ],
];

export const documents: readonly Document[] = made.map(([number, holds, source, deviates]) => ({ number, holds, source, ...(deviates === undefined ? {} : { deviates }) }));
