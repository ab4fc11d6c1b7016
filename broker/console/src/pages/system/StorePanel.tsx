// StorePanel.tsx - the store and the process in figures: what the broker counts about itself.
import { bytes, num, percent } from "../../format/number";
import { span } from "../../format/span";
import { diskOf } from "../../live/disk";
import { text } from "../../text";
import { Bar } from "../../ui/Bar";
import { Name } from "../../ui/Code";
import { Panel } from "../../ui/Panel";

function figure(name: string, value: number): string {
    if (name.endsWith("_bytes")) return bytes(value);
    if (name.endsWith("_us") && !name.startsWith("started")) return span(value / 1000);
    return num(value);
}

/* Histograms have a row a bound; here they would only be noise. */
const isShown = (name: string): boolean => !/_(le|bucket)_|:|\{/.test(name);

export function StorePanel({ stats }: { stats: Record<string, number> }) {
    const t = text();
    const disk = diskOf(stats);
    const rows = Object.entries(stats).filter(([name]) => isShown(name));
    return (
        <Panel title={t.system.store}>
            {disk && (
                <div class="disk">
                    <p>{percent(disk.used / disk.size)} <small>{bytes(disk.used)} / {bytes(disk.size)}</small></p>
                    <Bar label={t.overview.disk} value={disk.used} max={disk.size} tone={disk.used / disk.size > 0.6 ? "warn" : undefined} />
                </div>
            )}
            <dl class="details details-dense">
                {rows.map(([name, value]) => (
                    <div key={name}>
                        <dt><Name>{name}</Name></dt>
                        <dd>{figure(name, value)}</dd>
                    </div>
                ))}
            </dl>
        </Panel>
    );
}
