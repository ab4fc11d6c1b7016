// route.ts - which page is open, from the address after `#`. Every view has an address one can send on:
// #/  #/department/nosazi  #/search?q=…  #/inquiry/116  #/parked  #/system
import { store } from "./store";

export interface Route {
    page: string; // "" is the overview
    id: string; // what stands behind the page's name
    query: URLSearchParams;
    entry: string; // which entry of the browser's history it is: the same again after Back
}

/* The browser keeps it with the entry, also over a reload. */
function entryHere(): string {
    const kept = (history.state as { entry?: string } | null)?.entry;
    if (kept) return kept;
    const entry = String(performance.timeOrigin + performance.now());
    history.replaceState({ entry }, "");
    return entry;
}

function parse(hash: string): Route {
    const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
    const [page = "", id = ""] = path.split("/", 2);
    let name = id;
    try {
        name = decodeURIComponent(id);
    } catch {
        // Not percent-encoded as it should be: taken as it stands.
    }
    return { page, id: name, query: new URLSearchParams(query), entry: entryHere() };
}

export const route = store<Route>(parse(location.hash));
addEventListener("hashchange", () => route.set(parse(location.hash)));

export function href(page: string, id?: string | number, query?: Record<string, string>): string {
    const entries = Object.entries(query ?? {}).filter(([, value]) => value !== "");
    const tail = entries.length ? "?" + new URLSearchParams(entries).toString() : "";
    return `#/${page}${id === undefined ? "" : "/" + encodeURIComponent(id)}${tail}`;
}

export function go(to: string): void {
    location.hash = to;
}

/* The same page with other questions asked of it: no new entry in the browser's history. */
export function replace(to: string): void {
    history.replaceState(history.state, "", to);
    route.set(parse(location.hash));
}
