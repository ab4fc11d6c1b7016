// Figure.tsx - a count in a table: zero steps back, what matters stands out.
import { num } from "../format/number";

export function Figure({ value, strong, warn }: { value: number; strong?: boolean; warn?: boolean }) {
    const css = value === 0 ? "zero" : warn ? "figure-warn" : strong ? "figure-strong" : "";
    return <span class={css}>{num(value)}</span>;
}
