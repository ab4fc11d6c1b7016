// link.ts - whether the gateway is within reach, told by everything that asks it. The page's header and
// its banner read this; a reconnection after a restart of the gateway is visible here.
import { store } from "../store";

export type LinkState = "connecting" | "live" | "polling" | "lost";
export interface Link {
    state: LinkState;
    since: number; // ms; when this state began
}

export const link = store<Link>({ state: "connecting", since: Date.now() });

/* The stream carries events: "live". Without one (observers have none) fresh counts are "polling". */
let streaming = false;

function become(state: LinkState): void {
    if (link.get().state !== state) link.set({ state, since: Date.now() });
}

export function streamIs(up: boolean): void {
    streaming = up;
    if (up) become("live");
    else if (link.get().state === "live") become("lost");
}

/* Let go on purpose, because nobody looks. */
export function streamRests(): void {
    streaming = false;
    if (link.get().state === "live") become("connecting");
}

export function answered(expectStream: boolean): void {
    if (streaming) become("live");
    else if (!expectStream) become("polling");
    else if (link.get().state !== "lost") become("connecting");
}

export function unreachable(): void {
    become("lost");
}

export function linkReset(): void {
    streaming = false;
    link.set({ state: "connecting", since: Date.now() });
}
