// Toasts.tsx - a word after something was done; read out by screen readers, gone after a while.
import type { ComponentChildren } from "preact";
import { store, useStore } from "../store";
import { Icon } from "./Icon";

interface Toast {
    id: number;
    content: ComponentChildren;
    failed: boolean;
}

const SHOWN_MS = 7_000;
const toasts = store<Toast[]>([]);
let last = 0;

export function toast(content: ComponentChildren, failed = false): void {
    const id = ++last;
    toasts.set([...toasts.get(), { id, content, failed }]);
    setTimeout(() => toasts.set(toasts.get().filter((one) => one.id !== id)), SHOWN_MS);
}

export function Toasts() {
    return (
        <div class="toasts" role="status" aria-live="polite">
            {useStore(toasts).map((one) => (
                <div class={`toast${one.failed ? " toast-failed" : ""}`} key={one.id}>
                    <Icon name={one.failed ? "alert" : "check"} />
                    <span>{one.content}</span>
                </div>
            ))}
        </div>
    );
}
