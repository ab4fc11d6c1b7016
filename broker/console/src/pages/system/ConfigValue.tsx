// ConfigValue.tsx - a value of the configuration: an instant is shown as the reader's time, the rest as it is.
import type { NamedValue } from "../../api/shapes";
import { Name } from "../../ui/Code";
import { Time } from "../../ui/Time";

const instant = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

export function ConfigValue({ row }: { row: NamedValue }) {
    const value = String(row.value);
    return instant.test(value) ? <Time at={value} form="full" /> : <Name>{value}</Name>;
}
