// Empty.tsx - nothing here, why, and what one might do about it.
import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./Icon";

export function Empty({ icon = "inbox", title, children }: { icon?: IconName; title: string; children?: ComponentChildren }) {
    return (
        <div class="empty">
            <Icon name={icon} size="large" />
            <p class="empty-title">{title}</p>
            {children && <div class="empty-more">{children}</div>}
        </div>
    );
}
