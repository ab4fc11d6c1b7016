// Foreign.tsx - text from outside in an isolate of its own, with its marks of direction shown and not obeyed.
import type { ComponentChildren } from "preact";
import { marksNamed, parted } from "../format/foreign";

export function marked(text: string): ComponentChildren {
    return parted(text).map((part, i) => (i % 2 ? <code key={i} class="direction" dir="ltr">{part}</code> : part));
}

/* `clip`: on one line, as much as there is room for, the whole on hover. */
export function Foreign({ children: text, clip }: { children: string | null | undefined; clip?: boolean }) {
    return <bdi class={clip ? "clip" : undefined} title={clip ? marksNamed(text ?? "") : undefined}>{marked(text ?? "")}</bdi>;
}
