// Badge.tsx - a state in a word, a colour and a shape: nobody has to tell colours apart to read it.
import type { ComponentChildren } from "preact";

export type Tone = "good" | "bad" | "warn" | "busy" | "calm";

const marks: Record<Tone, string> = {
    good: "M2 6.5 5 9.5 10 3.5",
    bad: "M3 3l6 6M9 3 3 9",
    warn: "M6 2v5M6 9.5v.5",
    busy: "M6 2a4 4 0 1 0 4 4",
    calm: "M3 6h6",
};

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
    return (
        <span class={`badge badge-${tone}`}>
            <svg viewBox="0 0 12 12" aria-hidden="true">
                <path d={marks[tone]} />
            </svg>
            {children}
        </span>
    );
}
