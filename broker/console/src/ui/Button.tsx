// Button.tsx - a button with a word on it, and an icon before it where one helps.
import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./Icon";

export interface ButtonProps {
    children: ComponentChildren;
    icon?: IconName;
    flip?: boolean;
    kind?: "plain" | "primary" | "danger" | "quiet";
    small?: boolean;
    type?: "button" | "submit";
    disabled?: boolean;
    pressed?: boolean;
    label?: string;
    onClick?: () => void;
}

export function Button({ children, icon, flip, kind = "plain", small, type = "button", disabled, pressed, label, onClick }: ButtonProps) {
    return (
        <button
            type={type}
            class={`button button-${kind}${small ? " button-small" : ""}`}
            disabled={disabled}
            aria-pressed={pressed}
            aria-label={label}
            onClick={onClick}
        >
            {icon && <Icon name={icon} flip={flip} />}
            <span>{children}</span>
        </button>
    );
}
