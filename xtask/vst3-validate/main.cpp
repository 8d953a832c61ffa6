// Runs Steinberg's VST3 test suite over one bundle: `runner BUNDLE.vst3`.
//
// The tests are those of the SDK, with the figures of its own validator's extensive run, and beyond it names of
// parameters and input that must not be written to. Tests at 64 bits run only if the plugin computes in 64 bits: else
// each would count as passed and have tested nothing.
//
// Two are left out, as by the validator: BusInvalidIndexTest minds what is written behind a refusal, and ProcessTailTest
// asks for the tail before the first block, when the plugin's framework says 0.
//
// Exit code: 0 all passed, 1 a test failed, 2 nothing could be run.

#include <cstdio>
#include <initializer_list>
#include <string>
#include <vector>

#include "public.sdk/source/vst/hosting/hostclasses.h"
#include "public.sdk/source/vst/hosting/module.h"
#include "public.sdk/source/vst/hosting/plugprovider.h"
#include "public.sdk/source/vst/testsuite/vsttestsuite.h"
#include "public.sdk/source/vst/utility/stringconvert.h"

namespace Steinberg {
DEF_CLASS_IID (ITestResult)
}

namespace {

using namespace Steinberg;
using namespace Steinberg::Vst;

/// What a test says while it runs.
struct Words : U::ImplementsNonDestroyable<U::Directly<ITestResult>> {
    std::vector<std::string> all;
    int errors = 0;

    void PLUGIN_API addErrorMessage(const tchar* text) override {
        errors++;
        all.push_back("error: " + StringConvert::convert(text));
    }
    void PLUGIN_API addMessage(const tchar* text) override { all.push_back(StringConvert::convert(text)); }
};

/// The tests of one plugin, and how they went.
struct Suite {
    ITestPlugProvider* plugin;
    int passed = 0;
    int failed = 0;
    /// Tests that passed and yet spoke of errors.
    int doubtful = 0;

    template <typename Test, typename... More> void run(More... more) {
        IPtr<Test> test = owned(new Test(plugin, more...));
        Words words;
        bool ready = test->setup();
        bool well = ready && test->run(&words);
        well = test->teardown() && well;
        (well ? passed : failed)++;
        doubtful += well && words.errors > 0;
        std::printf("%s %s\n", !well ? "FAILED" : words.errors > 0 ? "doubt " : "ok    ", name(*test).c_str());
        if (!ready)
            std::printf("         it could not be set up\n");
        if (!well || words.errors > 0)
            for (const auto& line : words.all)
                std::printf("         %s\n", line.c_str());
        std::fflush(stdout);
    }

    static std::string name(TestBase& test) {
        const tchar* description = test.getDescription();
        return description ? std::string(test.getName()) + ": " + StringConvert::convert(description) : test.getName();
    }

    void general() {
        run<EditorClassesTest>();
        run<ScanBussesTest>();
        run<ScanParametersTest>();
        run<ParameterFunctionNameTest>();
        run<MidiMappingTest>();
        run<MidiLearnTest>();
        run<UnitInfoTest>();
        run<ProgramInfoTest>();
        run<TerminateInitializeTest>();
        run<UnitStructureTest>();
        run<BusConsistencyTest>();
        run<BusActivationTest>();
        run<CheckAudioBusArrangementTest>();
        run<SideChainArrangementTest>();
        run<NoteExpressionTest>();
        run<KeyswitchTest>();
        run<ProcessContextRequirementsTest>();
    }

    void processing(SymbolicSampleSizes size) {
        run<ValidStateTransitionTest>(size);
        run<SuspendResumeTest>(size);
        run<ProcessTest>(size);
        run<ProcessThreadTest>(size);
        run<ProcessInputOverwritingTest>(size);
        run<SilenceFlagsTest>(size);
        run<SilenceProcessingTest>(size);
        run<FlushParamTest>(size);
        run<FlushParamTest2>(size);
        run<FlushParamTest3>(size);
        run<VariableBlockSizeTest>(size);
        run<ProcessFormatTest>(size);
        run<BypassPersistenceTest>(size);
        using namespace SpeakerArr;
        const auto layouts = {kMono,    kStereo,   kStereoSurround, kStereoCenter, kStereoSide,
                              kStereoCLfe, k30Cine, k30Music,        k31Cine,       k31Music,
                              k40Cine,  k40Music,  k41Cine,         k41Music,      k50};
        for (auto in : layouts)
            for (auto out : layouts)
                run<SpeakerArrangementTest>(size, in, out);
        // Every so many samples, so many parameters (-1: all), at the block or at the sample.
        for (int32 parameters : {1, 2, 10, -1})
            for (int32 samples : {100, 50, 1})
                for (bool at_the_sample : {false, true})
                    run<AutomationTest>(size, samples, parameters, at_the_sample);
    }
};

bool computes(PlugProvider& plugin, SymbolicSampleSizes size) {
    IComponent* component = plugin.getComponent();
    IEditController* controller = plugin.getController();
    bool can = false;
    if (auto processor = U::cast<IAudioProcessor>(component))
        can = processor->canProcessSampleSize(size) == kResultTrue;
    plugin.releasePlugIn(component, controller);
    return can;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s BUNDLE.vst3\n", argv[0]);
        return 2;
    }
    std::string fault;
    if (!VST3::Hosting::Module::validateBundleStructure(argv[1], fault)) {
        std::printf("the bundle is not laid out as a bundle: %s\n", fault.c_str());
        return 2;
    }
    auto bundle = VST3::Hosting::Module::create(argv[1], fault);
    if (!bundle) {
        std::printf("the bundle cannot be loaded: %s\n", fault.c_str());
        return 2;
    }
    HostApplication host;
    PluginContextFactory::instance().setPluginContext(&host);
    TestingPluginContext::set(&host);

    int passed = 0, failed = 0, doubtful = 0;
    for (auto& kind : bundle->getFactory().classInfos()) {
        if (kind.category() != kVstAudioEffectClass)
            continue;
        std::printf("%s %s, %s\n", kind.name().c_str(), kind.version().c_str(), kind.subCategoriesString().c_str());
        IPtr<PlugProvider> plugin = owned(new PlugProvider(bundle->getFactory(), kind, true));
        if (!plugin->initialize()) {
            std::printf("FAILED it cannot be made\n");
            failed++;
            continue;
        }
        Suite suite{plugin};
        suite.general();
        for (auto size : {kSample32, kSample64})
            if (computes(*plugin, size))
                suite.processing(size);
        passed += suite.passed;
        failed += suite.failed;
        doubtful += suite.doubtful;
    }
    std::printf("%d tests passed, of which %d spoke of errors; %d failed\n", passed, doubtful, failed);
    return failed > 0 ? 1 : passed == 0 ? 2 : 0;
}
