import { test } from "tap";
import { transportContract } from "../../contracts/transport.ts";
import { needsMosquitto, startMosquitto } from "./mosquitto.ts";
import { bookOf, everything, mqttHarness, secretOf, startBroker } from "./mqtt-harness.ts";

void test("the MQTT transport keeps the contract over the embedded broker", (t) => {
  transportContract(t, async () => {
    const broker = await startBroker(bookOf(["a", everything], ["b", everything], ["c", everything]));
    return mqttHarness(broker.port, () => broker.close());
  });
  t.end();
});

void test("the MQTT transport keeps the contract over Mosquitto", needsMosquitto, (t) => {
  transportContract(t, async () => {
    const broker = await startMosquitto(Object.fromEntries(["a", "b", "c"].map((node) => [node, secretOf(node)])));
    return mqttHarness(broker.port, () => broker.close());
  });
  t.end();
});
