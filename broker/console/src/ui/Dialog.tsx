// Dialog.tsx - a modal dialog: the browser's own <dialog>, with Tab kept inside, Escape to leave, and the
// focus given back to where it came from.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

const reachable = "button:not([disabled]), [href], input:not([disabled]), select:not([disabled]), textarea:not([disabled])";

function keepInside(dialog: HTMLDialogElement, event: KeyboardEvent): void {
    if (event.key !== "Tab") return;
    const all = [...dialog.querySelectorAll<HTMLElement>(reachable)].filter((e) => e.offsetParent !== null);
    const first = all[0];
    const last = all[all.length - 1];
    if (!first || !last) return;
    const at = document.activeElement;
    if (event.shiftKey ? at === first || at === dialog : at === last) {
        event.preventDefault();
        (event.shiftKey ? last : first).focus();
    }
}

export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
    const id = useId();
    const ref = useRef<HTMLDialogElement>(null);
    useEffect(() => {
        const before = document.activeElement as HTMLElement | null;
        const dialog = ref.current;
        dialog?.showModal();
        dialog?.querySelector<HTMLElement>("[data-first]")?.focus();
        return () => {
            dialog?.close();
            before?.focus?.();
        };
    }, []);
    return (
        <dialog
            ref={ref}
            class="dialog"
            aria-labelledby={id}
            onKeyDown={(e) => keepInside(e.currentTarget, e)}
            onCancel={(e) => {
                e.preventDefault();
                onClose();
            }}
            onClose={(e) => {
                // A second Escape closes it whatever was said to the first: whose it is decides, not the browser.
                if (!e.currentTarget.isConnected) return;
                e.currentTarget.showModal();
                onClose();
            }}
        >
            <h2 id={id}>{title}</h2>
            {children}
        </dialog>
    );
}
