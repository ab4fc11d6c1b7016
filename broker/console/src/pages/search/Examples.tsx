// Examples.tsx - before anything was asked: filters to begin with, as links.
import { href } from "../../route";
import { text } from "../../text";
import { Empty } from "../../ui/Empty";

export function Examples() {
    const t = text().search;
    const all: [string, string][] = [
        [t.exampleWaiting, "state:waiting"],
        [t.exampleParked, "state:parked"],
        [t.exampleNegative, "outcome:negative"],
        [t.exampleParcel, "parcel:1-1-1-1-0-0-0"],
    ];
    return (
        <Empty icon="search" title={t.startDo}>
            <ul class="examples" aria-label={t.examples}>
                {all.map(([label, q]) => (
                    <li key={q}>
                        <a href={href("search", undefined, { q })}>{label} <code dir="ltr">{q}</code></a>
                    </li>
                ))}
            </ul>
        </Empty>
    );
}
