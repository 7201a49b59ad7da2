// The console's behaviour: small modules over plain HTML. Everything works as links and forms without them.
import "./zone.js";
import "./theme.js";
import "./dialogs.js";
import "./toasts.js";
import "./shortcuts.js";
import "./palette.js";
import "./forms.js";
import "./bars.js";
import "./choosing.js";
import "./meanwhile.js";
import "./copy.js";
import "./tabs.js";
import "./preview.js";
import "./desk.js";
