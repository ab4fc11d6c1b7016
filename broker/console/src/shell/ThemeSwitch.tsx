// ThemeSwitch.tsx - light, dark, or as the device has it; one button that goes round.
import { prefer, prefs, type Theme } from "../prefs";
import { useStore } from "../store";
import { text } from "../text";
import { Icon, type IconName } from "../ui/Icon";

const order: Theme[] = ["system", "light", "dark"];
const icons: Record<Theme, IconName> = { system: "device", light: "sun", dark: "moon" };

export function ThemeSwitch() {
    const { theme } = useStore(prefs);
    const t = text().nav;
    const names: Record<Theme, string> = { system: t.system_theme, light: t.light, dark: t.dark };
    const label = `${t.theme}: ${names[theme]}`;
    const next = order[(order.indexOf(theme) + 1) % order.length] ?? "system";
    return (
        <button type="button" class="round" aria-label={label} title={label} onClick={() => prefer({ theme: next })}>
            <Icon name={icons[theme]} />
        </button>
    );
}
