// PageHead.tsx - a page's title, the way back, what it is about, and what can be done here.
import type { ComponentChildren } from "preact";
import { Icon } from "./Icon";

export interface PageHeadProps {
    title: ComponentChildren;
    back?: { href: string; label: string };
    aside?: ComponentChildren;
    actions?: ComponentChildren;
}

export function PageHead({ title, back, aside, actions }: PageHeadProps) {
    return (
        <header class="page-head">
            <div>
                {back && (
                    <a class="back" href={back.href}>
                        <Icon name="chevron" flip size="small" />
                        {back.label}
                    </a>
                )}
                <h1>{title}</h1>
                {aside && <p class="page-aside">{aside}</p>}
            </div>
            {actions && <div class="page-actions">{actions}</div>}
        </header>
    );
}
