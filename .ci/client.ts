// One round trip with types made from openapi.json, without a single cast: create, find, list, patch, delete, gone. Arguments: address, key.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [address = "", key = ""] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${key}` } });

function hold(holds: boolean, what: string): asserts holds {
    if (!holds) throw new Error(what);
}

const entity: components["schemas"]["Entity"] = { name: { en: "Agency of the typed client" }, kind: "agency", external_id: "ci-typed" };
const made = await client.POST("/v1/entities", { body: entity });
hold(made.data !== undefined && made.response.headers.get("etag") === '"1"', "create");
// A text that is answered is an object of strings.
const name: string | undefined = made.data.name["en"];
hold(name === "Agency of the typed client", "the name");

const found = await client.GET("/v1/entities/{id}", { params: { path: { id: "external:ci-typed" } } });
hold(found.data?.id === made.data.id, "find");

const listed = await client.GET("/v1/entities", { params: { query: { external_id: ["ci-typed"], count: true } } });
hold(listed.data?.items.length === 1 && listed.data.count === 1, "list");
for (const item of listed.data.items) {
    const words: { [language: string]: string } = item.name;
    hold(words["en"] !== undefined && item.version === 1, "an item");
}

// Some fields, one of them emptied, one language of a text.
const change: components["schemas"]["EntityPatch"] = { code: "CIT", description: { en: "Changed" }, country: null };
const changed = await client.PATCH("/v1/entities/{id}", {
    params: { path: { id: made.data.id }, header: { "If-Match": '"1"', "Mandate-Reason": "a round trip" } },
    body: change,
});
hold(changed.data?.version === 2 && changed.data.code === "CIT", "patch");
const stale = await client.PATCH("/v1/entities/{id}", {
    params: { path: { id: made.data.id }, header: { "If-Match": '"1"' } },
    body: { code: "NO" },
});
hold(stale.error?.status === 412, "a stale patch");

const budget = await client.GET("/v1/reports/budget", { params: { query: { by: "phase" } } });
hold(budget.data !== undefined, "a report");
const sums: (string | null | undefined)[] = budget.data.items.map((row) => row.appropriation);
hold(sums.length === budget.data.items.length, "its rows");
const plan = await client.GET("/v1/reports/plan");
hold(plan.data !== undefined && plan.data.items.every((row) => typeof row.title === "object"), "the plan");

const gone = await client.DELETE("/v1/entities/{id}", { params: { path: { id: made.data.id }, header: { "If-Match": '"2"' } } });
hold(gone.response.status === 204, "delete");
const after = await client.GET("/v1/entities/{id}", { params: { path: { id: made.data.id } } });
hold(after.error?.status === 410, "gone");
