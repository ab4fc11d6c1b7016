// Views.tsx - timeline, compact, JSON: links, so that a view can be sent on.
import { href } from "../../route";
import { text } from "../../text";

export type View = "timeline" | "compact" | "json";

export function Views({ id, shown }: { id: string; shown: View }) {
    const t = text().inquiry;
    const all: [View, string][] = [["timeline", t.timeline], ["compact", t.compact], ["json", t.json]];
    return (
        <nav class="views" aria-label={t.views}>
            {all.map(([view, label]) => (
                <a
                    key={view}
                    href={href("inquiry", id, { view: view === "timeline" ? "" : view })}
                    aria-current={view === shown ? "page" : undefined}
                    data-view={view}
                >
                    {label}
                </a>
            ))}
        </nav>
    );
}
