// Tile.tsx - one figure of the city, large; a line below says what it means now.
import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./Icon";

export interface TileProps {
    name: string; // for tests and styles
    label: string;
    icon: IconName;
    tone?: "calm" | "warn" | "bad" | "good";
    value: ComponentChildren;
    more?: ComponentChildren;
    href?: string;
}

export function Tile({ name, label, icon, tone = "calm", value, more, href }: TileProps) {
    const inside = (
        <>
            <span class="tile-label">
                <Icon name={icon} />
                {label}
            </span>
            <span class="tile-value">{value}</span>
            <span class="tile-more">{more}</span>
        </>
    );
    const css = `tile tile-${tone}`;
    return href ? (
        <a class={css} href={href} data-tile={name}>{inside}</a>
    ) : (
        <div class={css} data-tile={name}>{inside}</div>
    );
}
