// place.ts - how far down a page was read, by its entry in the browser's history: Back leads there again, and
// a page that is new begins at its top.
import { route } from "../route";

const LONGEST_MS = 5_000; // for what is read again to come
const places = new Map<string, number>();
let given = (): void => {};

history.scrollRestoration = "manual";
// Before `hashchange`, at which the route is the new one and a browser may have moved already.
addEventListener("popstate", () => places.set(route.get().entry, scrollY));

export const isKnown = (entry: string): boolean => places.has(entry);

/* At once where the page is long enough, and else as it grows; whoever moves by hand is let. */
export function placeAgain(entry: string): void {
    given();
    const to = places.get(entry) ?? 0;
    const grown = new ResizeObserver(() => {
        scrollTo(0, to);
        if (scrollY >= to - 1) given();
    });
    const late = setTimeout(() => given(), LONGEST_MS);
    const byHand = ["wheel", "keydown", "pointerdown", "touchstart"];
    given = () => {
        grown.disconnect();
        clearTimeout(late);
        for (const name of byHand) removeEventListener(name, given);
        given = () => {};
    };
    for (const name of byHand) addEventListener(name, given, { passive: true });
    grown.observe(document.body); // calls once by itself
}

export function placeTop(): void {
    given();
    scrollTo(0, 0);
}
