// StorePanel.tsx - the store and the process: what matters first, every other figure of the broker behind it.
import { bytes, num, percent } from "../../format/number";
import { span } from "../../format/span";
import { diskOf, REFUSES_AT } from "../../live/disk";
import { text } from "../../text";
import { Bar } from "../../ui/Bar";
import { Name } from "../../ui/Code";
import { Panel } from "../../ui/Panel";
import { roomText } from "../overview/Tiles";

function figure(name: string, value: number): string {
    if (/(^|_)bytes(_|$)/.test(name)) return bytes(value);
    if (name.endsWith("_us") && name !== "started_us") return span(value / 1000);
    return num(value);
}

/* Histograms have a row a bound; here they would only be noise. */
const isShown = (name: string): boolean => !/_le_|_sum$/.test(name);

function Room({ stats }: { stats: Record<string, number> }) {
    const t = text();
    const disk = diskOf(stats);
    if (!disk) return null;
    return (
        <div class="disk">
            <p>
                {percent(disk.full)} <small>{roomText(disk)}</small>
            </p>
            <Bar label={t.overview.disk} value={Math.round(disk.full * 100)} max={100} tone={disk.full > REFUSES_AT - 0.1 ? "warn" : undefined} />
        </div>
    );
}

export function StorePanel({ stats }: { stats: Record<string, number> }) {
    const t = text().system;
    const rows = Object.entries(stats).filter(([name]) => isShown(name));
    const known = Object.keys(t.figures).filter((name) => stats[name] !== undefined);
    return (
        <Panel title={t.store}>
            <Room stats={stats} />
            <dl class="details details-dense">
                {known.map((name) => (
                    <div key={name}>
                        <dt title={name}>{t.figures[name]}</dt>
                        <dd>{figure(name, stats[name] ?? 0)}</dd>
                    </div>
                ))}
            </dl>
            <details class="more">
                <summary>{t.allFigures}</summary>
                <dl class="details details-dense">
                    {rows.map(([name, value]) => (
                        <div key={name}>
                            <dt><Name>{name}</Name></dt>
                            <dd>{figure(name, value)}</dd>
                        </div>
                    ))}
                </dl>
            </details>
        </Panel>
    );
}
