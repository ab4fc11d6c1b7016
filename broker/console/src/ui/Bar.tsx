// Bar.tsx - a part of a whole as a bar, with its figures for those who do not see it.

export interface BarProps {
    label: string;
    value: number;
    max: number;
    tone?: string; // good, warn, bad, calm; the accent without one
}

export function Bar({ label, value, max, tone }: BarProps) {
    const part = max > 0 ? Math.min(1, value / max) : 0;
    return (
        <div class="bar" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={max} aria-valuenow={value}>
            <i class={tone ? `bar-${tone}` : ""} style={{ inlineSize: `${part * 100}%` }} />
        </div>
    );
}
