// store.ts - a value that many components look at: get, set, and a hook that renders again on change.
import { useEffect, useReducer } from "preact/hooks";

export interface Store<T> {
    get(): T;
    set(value: T): void;
    listen(listener: () => void): () => void;
}

export function store<T>(initial: T): Store<T> {
    let value = initial;
    const listeners = new Set<() => void>();
    return {
        get: () => value,
        set(next) {
            if (Object.is(next, value)) return;
            value = next;
            for (const listener of [...listeners]) listener();
        },
        listen(listener) {
            listeners.add(listener);
            return () => void listeners.delete(listener);
        },
    };
}

export function useStore<T>(from: Store<T>): T {
    const [, again] = useReducer((n: number, _: void) => n + 1, 0);
    useEffect(() => from.listen(() => again()), [from]);
    return from.get();
}
