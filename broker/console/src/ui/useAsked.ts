// useAsked.ts - something read from the gateway for a page: loaded, loaded again on demand, on events and when
// the gateway is back, forgotten when the question changes. However many events come, it is asked about once a second; however slow
// the answer is, it is waited for, and asked for again when something happened meanwhile.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get } from "../api/http";
import { onReturn } from "../live/link";
import { may } from "../session";

export interface Asked<T> {
    value: T | null;
    fault: unknown;
    again: () => void;
}

const UNTOLD_MS = 15_000; // a token without events is told of nothing: it asks so often
const SOON = 150; // ms after the first event of some
const APART = 1_000; // ms between two questions

/* A null path asks nothing. `every` asks again after so many milliseconds. `read` asks in a way of its own. */
export function useAsked<T>(path: string | null, every?: number, read: (path: string, signal: AbortSignal) => Promise<T> = get): Asked<T> {
    const [state, setState] = useState<{ path: string | null; value: T | null; fault: unknown }>({ path, value: null, fault: null });
    const often = every ?? (may("events") ? undefined : UNTOLD_MS);
    const plan = useRef<() => void>(() => {});

    useEffect(() => {
        if (path === null) return;
        const stop = new AbortController();
        let asking = false;
        let owed = false; // something happened after the question under way was asked
        let askedAt = 0;
        let soon: number | undefined;
        const ask = async (): Promise<void> => {
            soon = undefined;
            asking = true;
            owed = false;
            askedAt = Date.now();
            try {
                const value = await read(path, stop.signal);
                if (!stop.signal.aborted) setState({ path, value, fault: null });
            } catch (fault) {
                // What was read before stays on the page; the header tells that it is old.
                if (!stop.signal.aborted) setState((old) => ({ path, value: old.path === path ? old.value : null, fault }));
            }
            asking = false;
            if (owed) again();
        };
        const again = (): void => {
            if (asking) owed = true;
            else if (!stop.signal.aborted) soon ??= window.setTimeout(ask, Math.max(SOON, askedAt + APART - Date.now()));
        };
        plan.current = again;
        void ask();
        const off = onReturn(again);
        const timer = often && setInterval(() => document.hidden || again(), often);
        return () => {
            off();
            stop.abort();
            clearTimeout(soon);
            clearInterval(timer);
        };
    }, [path, often]);

    const again = useCallback(() => plan.current(), []);
    const now = state.path === path;
    return { value: now ? state.value : null, fault: now ? state.fault : null, again };
}
