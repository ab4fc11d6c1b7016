// Panel.tsx - a titled part of a page.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export interface PanelProps {
    title: string;
    lead?: ComponentChildren;
    actions?: ComponentChildren;
    flush?: boolean; // its content goes to the edges, as a table does
    class?: string;
    children: ComponentChildren;
}

export function Panel({ title, lead, actions, flush, class: more, children }: PanelProps) {
    const id = useId();
    return (
        <section class={`panel${flush ? " panel-flush" : ""}${more ? " " + more : ""}`} aria-labelledby={id}>
            <header class="panel-head">
                <div>
                    <h2 id={id}>{title}</h2>
                    {lead && <p class="lead">{lead}</p>}
                </div>
                {actions && <div class="panel-actions">{actions}</div>}
            </header>
            {children}
        </section>
    );
}
