//! Which of WebKitGTK's rendering paths this machine needs.
//!
//! WebKitGTK reads the variables once, before GTK starts. Its DMABUF renderer is two to three times
//! slower than the plain one on a machine without a GPU, and leaves windows blank on some NVIDIA
//! drivers; on a machine with a working GPU the plain one is the slow one, and with recent Mesa it
//! is the one that stays blank. So nothing is set unless this machine is known to need it, and
//! never over a choice somebody already made.

use std::path::Path;

/// Turns the DMABUF renderer off.
pub const DISABLE_DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
/// Turns accelerated compositing off.
pub const DISABLE_COMPOSITING: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";
/// Turns NVIDIA's explicit sync off: on Wayland the milder cure, tried before [`DISABLE_DMABUF`].
pub const DISABLE_EXPLICIT_SYNC: &str = "__NV_DISABLE_EXPLICIT_SYNC";

/// The PCI vendor of NVIDIA, as `/sys/class/drm/*/device/vendor` spells it.
const NVIDIA: &str = "0x10de";

/// What of this machine decides how to render.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The person asked for the safest rendering.
    pub safe_rendering: bool,
    /// One of the three variables above is set already, to whatever value.
    pub chosen_outside: bool,
    /// Runs in continuous integration.
    pub ci: bool,
    /// Runs from an AppImage, which brings libraries that do not fit the host's drivers.
    pub appimage: bool,
    /// The session is Wayland rather than X11.
    pub wayland: bool,
    /// The PCI vendors of the DRM render nodes, such as `0x10de`. Empty: no GPU to render with.
    pub gpu_vendors: Vec<String>,
}

/// What to set before GTK starts, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// Names of variables to set to `1`. Empty: WebKitGTK's own choice stands.
    pub set: &'static [&'static str],
    /// For the log.
    pub because: &'static str,
}

/// Decides how to render on `machine`. The order of the rows is the order of their force.
#[must_use]
pub fn choose(machine: &Machine) -> Rendering {
    let nvidia = machine.gpu_vendors.iter().any(|vendor| vendor.eq_ignore_ascii_case(NVIDIA));
    let (set, because): (&'static [&'static str], &'static str) = match machine {
        Machine { safe_rendering: true, .. } => (&[DISABLE_DMABUF, DISABLE_COMPOSITING], "--safe-rendering was given"),
        Machine { chosen_outside: true, .. } => (&[], "the environment already says how to render"),
        Machine { ci: true, .. } => (&[DISABLE_DMABUF], "CI is set"),
        Machine { appimage: true, .. } => (&[DISABLE_DMABUF], "running from an AppImage"),
        Machine { gpu_vendors, .. } if gpu_vendors.is_empty() => (&[DISABLE_DMABUF], "there is no GPU to render with"),
        Machine { wayland: true, .. } if nvidia => (&[DISABLE_EXPLICIT_SYNC], "an NVIDIA GPU under Wayland"),
        _ if nvidia => (&[DISABLE_DMABUF], "an NVIDIA GPU under X11"),
        _ => (&[], "a GPU that needs no help"),
    };
    Rendering { set, because }
}

/// Looks at the machine. `variable` reads the environment; `root` is `/`, or a stand-in for it.
#[must_use]
pub fn look(root: &Path, safe_rendering: bool, variable: impl Fn(&str) -> Option<String>) -> Machine {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    Machine {
        safe_rendering,
        chosen_outside: [DISABLE_DMABUF, DISABLE_COMPOSITING, DISABLE_EXPLICIT_SYNC].into_iter().any(is_set),
        ci: is_set("CI"),
        appimage: is_set("APPIMAGE"),
        wayland: is_set("WAYLAND_DISPLAY"),
        gpu_vendors: gpu_vendors(root),
    }
}

/// The vendors of the render nodes. A node that cannot be opened is as good as none, but whether it
/// can is WebKit's to find out; a vendor file that cannot be read is an unknown vendor.
fn gpu_vendors(root: &Path) -> Vec<String> {
    let Ok(nodes) = root.join("dev/dri").read_dir() else { return Vec::new() };
    nodes
        .filter_map(|node| node.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("renderD"))
        .map(|name| {
            let vendor = root.join("sys/class/drm").join(name).join("device/vendor");
            std::fs::read_to_string(vendor).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_gpu(vendor: &str) -> Machine {
        Machine { gpu_vendors: vec![vendor.to_owned()], ..Machine::default() }
    }

    #[test]
    fn each_machine_gets_the_rendering_it_is_known_to_need() {
        let intel = with_gpu("0x8086");
        let nvidia = with_gpu("0x10DE");
        let both = Machine { gpu_vendors: vec!["0x8086".into(), "0x10de".into()], ..Machine::default() };
        let table: [(&str, Machine, &[&str]); 11] = [
            ("no GPU", Machine::default(), &[DISABLE_DMABUF]),
            ("Intel", intel.clone(), &[]),
            ("AMD", with_gpu("0x1002"), &[]),
            ("a vendor nobody could read", with_gpu("unknown"), &[]),
            ("NVIDIA on X11", nvidia.clone(), &[DISABLE_DMABUF]),
            ("NVIDIA beside Intel on X11", both, &[DISABLE_DMABUF]),
            ("NVIDIA on Wayland", Machine { wayland: true, ..nvidia.clone() }, &[DISABLE_EXPLICIT_SYNC]),
            ("Intel in CI", Machine { ci: true, ..intel.clone() }, &[DISABLE_DMABUF]),
            ("Intel in an AppImage", Machine { appimage: true, ..intel.clone() }, &[DISABLE_DMABUF]),
            ("chosen outside beats CI", Machine { chosen_outside: true, ci: true, ..nvidia }, &[]),
            (
                "asked for safe rendering beats all",
                Machine { safe_rendering: true, chosen_outside: true, ..intel },
                &[DISABLE_DMABUF, DISABLE_COMPOSITING],
            ),
        ];
        for (name, machine, set) in table {
            assert_eq!(choose(&machine).set, set, "{name}: {}", choose(&machine).because);
        }
    }

    #[test]
    fn looking_finds_render_nodes_and_their_vendors_and_ignores_display_only_cards() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let touch = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            std::fs::write(path, text).expect("a file");
        };
        touch("dev/dri/card0", "");
        assert_eq!(look(root.path(), false, |_| None).gpu_vendors, Vec::<String>::new(), "a card cannot render");
        touch("dev/dri/renderD128", "");
        assert_eq!(look(root.path(), false, |_| None).gpu_vendors, ["unknown"], "no vendor file");
        touch("sys/class/drm/renderD128/device/vendor", "0x10de\n");
        assert_eq!(look(root.path(), false, |_| None).gpu_vendors, ["0x10de"]);
    }

    #[test]
    fn looking_takes_an_empty_variable_for_an_unset_one() {
        let root = Path::new("/nonexistent");
        let empty = look(root, false, |_| Some(String::new()));
        assert_eq!(empty, Machine::default());
        let zero = look(root, false, |name| (name == DISABLE_DMABUF).then(|| "0".to_owned()));
        assert!(zero.chosen_outside, "0 is a choice, too");
    }
}
