// useAsked.ts - something read from the gateway for a page: loaded, loaded again on demand or on events,
// forgotten when the question changes. However many events come, it is asked about once a second.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get } from "../api/http";

export interface Asked<T> {
    value: T | null;
    fault: unknown;
    again: () => void;
}

const SOON = 150; // ms after the first event of some
const APART = 1_000; // ms between two questions

/* A null path asks nothing. `every` asks again after so many milliseconds. */
export function useAsked<T>(path: string | null, every?: number): Asked<T> {
    const [state, setState] = useState<{ path: string | null; value: T | null; fault: unknown }>({ path, value: null, fault: null });
    const [turn, setTurn] = useState(0);
    const soon = useRef<number | undefined>(undefined);
    const asked = useRef(0);

    useEffect(() => {
        if (path === null) return;
        const stop = new AbortController();
        asked.current = Date.now();
        get<T>(path, stop.signal).then(
            (value) => setState({ path, value, fault: null }),
            (fault: unknown) => {
                // What was read before stays on the page; the header tells that it is old.
                if (!stop.signal.aborted) setState((old) => ({ path, value: old.path === path ? old.value : null, fault }));
            },
        );
        return () => stop.abort();
    }, [path, turn]);

    useEffect(() => {
        if (!every || path === null) return;
        const timer = setInterval(() => document.hidden || setTurn((n) => n + 1), every);
        return () => clearInterval(timer);
    }, [path, every]);

    useEffect(() => () => clearTimeout(soon.current), []);
    const again = useCallback(() => {
        if (soon.current !== undefined) return;
        soon.current = window.setTimeout(() => {
            soon.current = undefined;
            setTurn((n) => n + 1);
        }, Math.max(SOON, asked.current + APART - Date.now()));
    }, []);
    const now = state.path === path;
    return { value: now ? state.value : null, fault: now ? state.fault : null, again };
}
