// The table itself. README.md says how to add an instruction.
#include <array>

#include "collectors/exact/decode/operation_table.hpp"

namespace bops::exact {
namespace {

constexpr Operation once(Kind kind, std::uint16_t weight = 1) {
  return {.kind = kind, .measure = Measure::kOnce, .weight = weight};
}

constexpr Operation lanes(Kind kind, std::uint8_t lane_bits, std::uint16_t weight = 1) {
  return {.kind = kind, .measure = Measure::kPerLane, .lane_bits = lane_bits, .weight = weight};
}

constexpr Operation zero_of_itself(Operation operation) {
  operation.zero_of_itself = true;
  return operation;
}

// A tile is at most 16 rows of 64 bytes (Intel SDM, TILECFG, palette 1).
constexpr Operation tiles(Kind kind, std::uint16_t weight) {
  return {.kind = kind, .measure = Measure::kOnce, .weight = weight, .assumes_tile_size = true};
}

constexpr auto kInt = Kind::kInteger;
constexpr auto kFp = Kind::kFloatingPoint;
constexpr auto kByElement = Suffixes::kInteger;
constexpr auto kByFloat = Suffixes::kFloat;
constexpr auto kAsNamed = Suffixes::kNone;
constexpr Operation kNothing = once(Kind::kNoComputation, 0);
constexpr Operation kTransfer = once(Kind::kBranch, 0);

constexpr std::array kRows{
    // --- Control transfers ---
    OperationRow{kTransfer, kAsNamed,
                 "jb jbe jl jle jnb jnbe jnl jnle jno jnp jns jnz jo jp js jz jcxz jecxz jrcxz "
                 "loop loope loopne jmp call ret xbegin"},
    OperationRow{kTransfer, kAsNamed,
                 "syscall sysenter sysret sysexit int int1 int3 into iret iretd iretq uiret rsm"},

    // --- General-purpose integer ---
    OperationRow{once(kInt), kAsNamed,
                 "add adc adcx adox sbb cmp inc dec neg mul imul mulx div idiv xadd cmpxchg "
                 "cmpxchg8b cmpxchg16b crc32 aaa aad aam aas daa das bound"},
    OperationRow{zero_of_itself(once(kInt)), kAsNamed, "sub xor"},
    OperationRow{once(kInt), kAsNamed,
                 "and or not test andn shl shr sar shld shrd rol ror rcl rcr rorx shlx shrx sarx "
                 "bt btc btr bts bsf bsr lzcnt tzcnt popcnt bextr bzhi pdep pext blsi blsmsk blsr "
                 "blcfill blci blcic blcmsk blcs blsfill blsic t1mskc tzmsk"},
    OperationRow{once(kInt), kAsNamed, "cmpsb cmpsw cmpsq scasb scasw scasd scasq"},
    OperationRow{once(Kind::kAddress), kAsNamed, "lea"},

    // --- SIMD integer ---
    OperationRow{lanes(kInt, 0), kByElement,
                 "padd padds paddus pmaxs pmaxu pmins pminu pabs pavg psign pcmpeq pcmp pcmpu pcom "
                 "pcomu pmull psll psrl psra psllv psrlv psrav prol pror prolv prorv prot psha "
                 "pshl pshld pshrd pshldv pshrdv plzcnt popcnt ptestm ptestnm pconflict "
                 "p2intersect phadd phsub pternlog"},
    OperationRow{zero_of_itself(lanes(kInt, 0)), kByElement, "psub psubs psubus pcmpgt"},
    OperationRow{lanes(kInt, 16), kAsNamed,
                 "pmulhw pmulhuw pmulhrsw pmulhrw phaddsw phsubsw phminposuw phaddbw phaddubw "
                 "phsubbw"},
    OperationRow{lanes(kInt, 32), kAsNamed, "phaddwd phadduwd phsubwd"},
    OperationRow{lanes(kInt, 64), kAsNamed, "pmuldq pmuludq phadddq phaddudq phsubdq"},
    OperationRow{lanes(kInt, 32, 3), kAsNamed, "phaddbd phaddubd"},  // three adds to a result
    OperationRow{lanes(kInt, 64, 3), kAsNamed, "phaddwq phadduwq"},
    OperationRow{lanes(kInt, 64, 7), kAsNamed, "phaddbq phaddubq"},
    OperationRow{lanes(kInt, 8), kAsNamed,
                 "pavgusb psadbw mpsadbw dbpsadbw pmultishiftqb pshufbitqmb gf2p8mulb "
                 "gf2p8affineqb gf2p8affineinvqb"},
    OperationRow{{.kind = kInt, .measure = Measure::kStringImmediate, .weight = 1},
                 kAsNamed,
                 "pcmpestri pcmpestrm pcmpistri pcmpistrm"},
    OperationRow{once(kInt), kAsNamed, "extrq insertq"},  // SSE4a bit fields
    // Logic without a width of its own counts 32-bit lanes.
    OperationRow{lanes(kInt, 32), kAsNamed, "pand pandn por ptest"},
    OperationRow{zero_of_itself(lanes(kInt, 32)), kAsNamed, "pxor pxord"},
    OperationRow{zero_of_itself(lanes(kInt, 64)), kAsNamed, "pxorq"},
    OperationRow{lanes(kInt, 32), kAsNamed, "pandd pandnd pord andps andnps orps testps"},
    OperationRow{lanes(kInt, 64), kAsNamed, "pandq pandnq porq andpd andnpd orpd testpd"},
    OperationRow{zero_of_itself(lanes(kInt, 32)), kAsNamed, "xorps"},
    OperationRow{zero_of_itself(lanes(kInt, 64)), kAsNamed, "xorpd"},
    // Products and the sums over them, per result lane.
    OperationRow{lanes(kInt, 32, 3), kAsNamed, "pmaddwd"},           // 2 multiplies, 1 add
    OperationRow{lanes(kInt, 16, 3), kAsNamed, "pmaddubsw"},         // 2 multiplies, 1 add
    OperationRow{lanes(kInt, 32, 8), kAsNamed, "pdpbusd pdpbusds"},  // 4 and 4
    OperationRow{lanes(kInt, 32, 4), kAsNamed, "pdpwssd pdpwssds"},  // 2 and 2
    OperationRow{lanes(kInt, 32, 16), kAsNamed, "p4dpwssd p4dpwssds"},
    OperationRow{lanes(kInt, 64, 2), kAsNamed, "pmadd52luq pmadd52huq"},
    OperationRow{lanes(kInt, 16, 2), kAsNamed, "pmacsww pmacssww"},
    OperationRow{lanes(kInt, 32, 2), kAsNamed, "pmacswd pmacsswd pmacsdd pmacssdd"},
    OperationRow{lanes(kInt, 64, 2), kAsNamed, "pmacsdql pmacssdql pmacsdqh pmacssdqh"},
    OperationRow{lanes(kInt, 32, 4), kAsNamed, "pmadcswd pmadcsswd"},
    OperationRow{tiles(kInt, 2 * 16 * 16 * 64), kAsNamed, "tdpbssd tdpbsud tdpbusd tdpbuud"},
    // Mask arithmetic: one operation on the whole mask.
    OperationRow{once(kInt), kAsNamed,
                 "kaddb kaddw kaddd kaddq kandb kandw kandd kandq kandnb kandnw kandnd kandnq korb "
                 "korw kord korq kxnorb kxnorw kxnord kxnorq knotb knotw knotd knotq kshiftlb "
                 "kshiftlw kshiftld kshiftlq kshiftrb kshiftrw kshiftrd kshiftrq ktestb ktestw "
                 "ktestd ktestq kortestb kortestw kortestd kortestq"},
    OperationRow{zero_of_itself(once(kInt)), kAsNamed, "kxorb kxorw kxord kxorq"},
    // Cryptography: one operation per 128-bit lane.
    OperationRow{lanes(kInt, 128), kAsNamed,
                 "aesenc aesenclast aesdec aesdeclast aesimc aeskeygenassist pclmulqdq sha1msg1 "
                 "sha1msg2 sha1nexte sha1rnds4 sha256msg1 sha256msg2 sha256rnds2"},
    OperationRow{once(kInt), kAsNamed,
                 "aesenc128kl aesenc256kl aesdec128kl aesdec256kl encodekey128 encodekey256"},
    OperationRow{once(kInt, 8), kAsNamed,
                 "aesencwide128kl aesencwide256kl aesdecwide128kl aesdecwide256kl"},
    OperationRow{once(kInt), kAsNamed,
                 "montmul xsha1 xsha256 xcrypt_cbc xcrypt_cfb xcrypt_ctr xcrypt_ecb xcrypt_ofb"},

    // --- Floating point ---
    OperationRow{lanes(kFp, 0), kByFloat,
                 "add sub mul div sqrt min max cmp comi ucomi round rndscale rcp rsqrt rcp14 "
                 "rsqrt14 rcp28 rsqrt28 exp2 hadd hsub addsub getexp getmant scalef range reduce "
                 "fixupimm fpclass frcz"},
    OperationRow{lanes(kFp, 0, 2), kByFloat,
                 "fmadd fmadd132 fmadd213 fmadd231 fmsub fmsub132 fmsub213 fmsub231 fnmadd "
                 "fnmadd132 fnmadd213 fnmadd231 fnmsub fnmsub132 fnmsub213 fnmsub231 fmaddsub "
                 "fmaddsub132 fmaddsub213 fmaddsub231 fmsubadd fmsubadd132 fmsubadd213 "
                 "fmsubadd231"},
    OperationRow{lanes(kFp, 0, 8), kByFloat, "4fmadd 4fnmadd"},  // four FMAs to a result
    // Complex numbers of two half floats: 4 multiplies and 2 adds, or 4 and 4.
    OperationRow{lanes(kFp, 32, 6), kAsNamed, "fmulcph fcmulcph"},
    OperationRow{once(kFp, 6), kAsNamed, "fmulcsh fcmulcsh"},
    OperationRow{lanes(kFp, 32, 8), kAsNamed, "fmaddcph fcmaddcph"},
    OperationRow{once(kFp, 8), kAsNamed, "fmaddcsh fcmaddcsh"},
    OperationRow{
        {.kind = kFp, .measure = Measure::kDotProductImmediate, .lane_bits = 32, .weight = 1},
        kAsNamed,
        "dpps"},
    OperationRow{
        {.kind = kFp, .measure = Measure::kDotProductImmediate, .lane_bits = 64, .weight = 1},
        kAsNamed,
        "dppd"},
    OperationRow{lanes(kFp, 32, 4), kAsNamed, "dpbf16ps"},
    OperationRow{tiles(kFp, 2 * 16 * 16 * 32), kAsNamed, "tdpbf16ps tdpfp16ps"},
    // Converts: as many as elements are converted, so the wider of the two types gives the lanes.
    OperationRow{lanes(kFp, 64), kAsNamed,
                 "cvtdq2pd cvtpd2dq cvttpd2dq cvtpd2ps cvtps2pd cvtpd2qq cvttpd2qq cvtpd2udq "
                 "cvttpd2udq cvtpd2uqq cvttpd2uqq cvtps2qq cvttps2qq cvtps2uqq cvttps2uqq cvtqq2pd "
                 "cvtqq2ps cvtqq2ph cvtuqq2pd cvtuqq2ps cvtuqq2ph cvtudq2pd cvtpd2ph cvtph2pd "
                 "cvtph2qq cvttph2qq cvtph2uqq cvttph2uqq"},
    OperationRow{lanes(kFp, 32), kAsNamed,
                 "cvtdq2ps cvtps2dq cvttps2dq cvtps2udq cvttps2udq cvtudq2ps cvtph2ps cvtps2ph "
                 "cvtph2psx cvtps2phx cvtdq2ph cvtudq2ph cvtph2dq cvttph2dq cvtph2udq cvttph2udq "
                 "cvtneps2bf16"},
    OperationRow{lanes(kFp, 16), kAsNamed,
                 "cvtph2w cvttph2w cvtph2uw cvttph2uw cvtw2ph cvtuw2ph cvtne2ps2bf16"},
    OperationRow{once(kFp), kAsNamed,
                 "cvtsi2ss cvtsi2sd cvtsi2sh cvtusi2ss cvtusi2sd cvtusi2sh cvtss2si cvtsd2si "
                 "cvtsh2si cvttss2si cvttsd2si cvttsh2si cvtss2usi cvtsd2usi cvtsh2usi cvttss2usi "
                 "cvttsd2usi cvttsh2usi cvtss2sd cvtsd2ss cvtsh2ss cvtss2sh cvtsh2sd cvtsd2sh"},
    // One of the registers is an MMX register, so two elements; 3DNow! works on two as well.
    OperationRow{once(kFp, 2), kAsNamed,
                 "cvtpi2ps cvtpi2pd cvtps2pi cvttps2pi cvtpd2pi cvttpd2pi pf2id pf2iw pi2fd pi2fw "
                 "pfacc pfnacc pfpnacc pfadd pfsub pfsubr pfmul pfmax pfmin pfcmpeq pfcmpge "
                 "pfcmpgt pfrcp pfrcpit2 pfcpit1 pfrsqit1 pfrcpit1 pfsqrt pfrsqrt"},
    OperationRow{once(kFp), kAsNamed,
                 "fadd faddp fiadd fsub fsubp fisub fsubr fsubrp fisubr fmul fmulp fimul fdiv "
                 "fdivp fidiv fdivr fdivrp fidivr fsqrt fabs fchs fcom fcomp fcompp fcomi fcomip "
                 "ficom ficomp fucom fucomp fucompp fucomi fucomip ftst fxam frndint fscale fprem "
                 "fprem1 fxtract f2xm1 fyl2x fyl2xp1 fpatan fptan fsin fcos fsincos fild fist "
                 "fistp fisttp fbld fbstp"},

    // --- No computation ---
    // Moves between registers and memory.
    OperationRow{kNothing, kAsNamed,
                 "mov movabs movbe movzx movsx movsxd movnti movdiri movdir64b enqcmd enqcmds xchg "
                 "bswap push pusha pushad pushf pushfd pushfq pop popa popad popf popfd popfq "
                 "enter leave xlat lodsb lodsw lodsd lodsq stosb stosw stosd stosq movsb movsw "
                 "movsq insb insw insd outsb outsw outsd in out lds les lfs lgs lss"},
    OperationRow{kNothing, kAsNamed,
                 "cmovb cmovbe cmovl cmovle cmovnb cmovnbe cmovnl cmovnle cmovno cmovnp cmovns "
                 "cmovnz cmovo cmovp cmovs cmovz setb setbe setl setle setnb setnbe setnl setnle "
                 "setno setnp setns setnz seto setp sets setz cbw cwde cdqe cwd cdq cqo"},
    OperationRow{kNothing, kAsNamed, "clc stc cmc cld std lahf sahf salc cli sti clac stac"},
    OperationRow{kNothing, kAsNamed,
                 "movaps movapd movups movupd movdqa movdqu movdqa32 movdqa64 movdqu8 movdqu16 "
                 "movdqu32 movdqu64 movd movq movss movsd movsh movw movhps movhpd movlps movlpd "
                 "movhlps movlhps movddup movshdup movsldup movmskps movmskpd pmovmskb movntps "
                 "movntpd movntdq movntdqa movntq movntss movntsd movq2dq movdq2q lddqu maskmovq "
                 "maskmovdqu maskmovps maskmovpd pmaskmovd pmaskmovq"},
    // Extensions, truncations, packs; saturation is part of the narrowing.
    OperationRow{
        kNothing, kAsNamed,
        "pmovsxbw pmovsxbd pmovsxbq pmovsxwd pmovsxwq pmovsxdq pmovzxbw pmovzxbd pmovzxbq "
        "pmovzxwd pmovzxwq pmovzxdq pmovwb pmovdb pmovdw pmovqb pmovqw pmovqd pmovswb "
        "pmovsdb pmovsdw pmovsqb pmovsqw pmovsqd pmovuswb pmovusdb pmovusdw pmovusqb "
        "pmovusqw pmovusqd pmovb2m pmovw2m pmovd2m pmovq2m pmovm2b pmovm2w pmovm2d pmovm2q "
        "packsswb packssdw packuswb packusdw"},
    // Shuffles, permutes, blends, inserts, extracts, broadcasts.
    OperationRow{
        kNothing, kAsNamed,
        "punpckhbw punpckhwd punpckhdq punpckhqdq punpcklbw punpcklwd punpckldq "
        "punpcklqdq unpckhps unpckhpd unpcklps unpcklpd pshufb pshufd pshufw pshufhw "
        "pshuflw shufps shufpd shuff32x4 shuff64x2 shufi32x4 shufi64x2 palignr alignd "
        "alignq pslldq psrldq pswapd pperm pcmov permil2ps permil2pd permilps permilpd "
        "permps permpd perm2f128 perm2i128 permb permw permd permq permi2b permi2w permi2d "
        "permi2q permi2ps permi2pd permt2b permt2w permt2d permt2q permt2ps permt2pd"},
    OperationRow{kNothing, kAsNamed,
                 "blendps blendpd blendvps blendvpd pblendw pblendd pblendvb blendmps blendmpd "
                 "pblendmb pblendmw pblendmd pblendmq insertps extractps pinsrb pinsrw pinsrd "
                 "pinsrq pextrb pextrw pextrd pextrq insertf128 insertf32x4 insertf32x8 "
                 "insertf64x2 insertf64x4 inserti128 inserti32x4 inserti32x8 inserti64x2 "
                 "inserti64x4 extractf128 extractf32x4 extractf32x8 extractf64x2 extractf64x4 "
                 "extracti128 extracti32x4 extracti32x8 extracti64x2 extracti64x4"},
    OperationRow{kNothing, kAsNamed,
                 "pbroadcastb pbroadcastw pbroadcastd pbroadcastq pbroadcastmb2q pbroadcastmw2d "
                 "broadcastss broadcastsd broadcastf128 broadcastf32x2 broadcastf32x4 "
                 "broadcastf32x8 broadcastf64x2 broadcastf64x4 broadcasti128 broadcasti32x2 "
                 "broadcasti32x4 broadcasti32x8 broadcasti64x2 broadcasti64x4 compressps "
                 "compresspd pcompressb pcompressw pcompressd pcompressq expandps expandpd "
                 "pexpandb pexpandw pexpandd pexpandq kmovb kmovw kmovd kmovq kunpckbw kunpckwd "
                 "kunpckdq zeroall zeroupper emms femms"},
    OperationRow{kNothing, kAsNamed,
                 "gatherdps gatherdpd gatherqps gatherqpd pgatherdd pgatherdq pgatherqd pgatherqq "
                 "scatterdps scatterdpd scatterqps scatterqpd pscatterdd pscatterdq pscatterqd "
                 "pscatterqq tileloadd tileloaddt1 tilestored tilezero tilerelease ldtilecfg "
                 "sttilecfg"},
    OperationRow{kNothing, kAsNamed,
                 "fld fst fstp fstpnce fxch fld1 fldl2e fldl2t fldlg2 fldln2 fldpi fldz ffree "
                 "ffreep fincstp fdecstp fcmovb fcmovbe fcmove fcmovnb fcmovnbe fcmovne fcmovnu "
                 "fcmovu fldcw fldenv fnclex fninit fnop fnsave fnstcw fnstenv fnstsw frstor fwait "
                 "fxrstor fxrstor64 fxsave fxsave64 fdisi8087_nop feni8087_nop fsetpm287_nop "
                 "ldmxcsr stmxcsr xrstor xrstor64 xrstors xrstors64 xsave xsave64 xsavec xsavec64 "
                 "xsaveopt xsaveopt64 xsaves xsaves64 xgetbv xsetbv"},
    // Hints, cache control, fences.
    OperationRow{kNothing, kAsNamed,
                 "nop pause endbr32 endbr64 lfence mfence sfence serialize prefetch prefetchw "
                 "prefetchwt1 prefetchnta prefetcht0 prefetcht1 prefetcht2 gatherpf0dpd "
                 "gatherpf0dps gatherpf0qpd gatherpf0qps gatherpf1dpd gatherpf1dps gatherpf1qpd "
                 "gatherpf1qps scatterpf0dpd scatterpf0dps scatterpf0qpd scatterpf0qps "
                 "scatterpf1dpd scatterpf1dps scatterpf1qpd scatterpf1qps clflush clflushopt clwb "
                 "cldemote clzero mcommit"},
    // The operating system's and the hypervisor's; control-flow enforcement; transactions; traps.
    OperationRow{kNothing, kAsNamed,
                 "cpuid rdtsc rdtscp rdpmc rdpru rdrand rdseed rdpid rdmsr wrmsr rdfsbase rdgsbase "
                 "wrfsbase wrgsbase rdpkru wrpkru rdsspd rdsspq incsspd incsspq rstorssp "
                 "saveprevssp setssbsy clrssbsy wrssd wrssq wrussd wrussq xabort xend xtest "
                 "xsusldtrk xresldtrk ud0 ud1 ud2 hlt arpl lar lsl verr verw clts lgdt lidt lldt "
                 "lmsw ltr sgdt sidt sldt smsw str swapgs invd wbinvd wbnoinvd invlpg invpcid "
                 "monitor mwait monitorx mwaitx umonitor umwait tpause ptwrite pconfig hreset"},
    OperationRow{kNothing, kAsNamed,
                 "clui stui testui senduipi loadiwkey enclu encls enclv getsec seamcall seamops "
                 "seamret tdcall clgi stgi skinit invept invvpid invlpga invlpgb tlbsync psmash "
                 "pvalidate rmpadjust rmpupdate vmcall vmclear vmfunc vmlaunch vmload vmmcall "
                 "vmptrld vmptrst vmread vmresume vmrun vmsave vmwrite vmxoff vmxon llwpcb lwpins "
                 "lwpval slwpcb xstore bndcl bndcn bndcu bndldx bndmk bndmov bndstx"},
    // Knights Corner alone: decode_instruction takes its encoding for no instruction.
    OperationRow{
        kNothing, kAsNamed,
        "addnpd addnps addsetsps cvtfxpntdq2ps cvtfxpntpd2dq cvtfxpntpd2udq "
        "cvtfxpntps2dq cvtfxpntps2udq cvtfxpntudq2ps exp223ps fixupnanpd fixupnanps "
        "fmadd233ps gatherpf0hintdpd gatherpf0hintdps gmaxabsps gmaxpd gmaxps gminpd "
        "gminps loadunpackhd loadunpackhpd loadunpackhps loadunpackhq loadunpackld "
        "loadunpacklpd loadunpacklps loadunpacklq log2ps movnrapd movnraps movnrngoapd "
        "movnrngoaps packstorehd packstorehpd packstorehps packstorehq packstoreld "
        "packstorelpd packstorelps packstorelq padcd paddsetcd paddsetsd pcmpltd permf32x4 "
        "pmadd231d pmadd233d pmulhd pmulhud prefetch0 prefetch1 prefetch2 prefetche0 "
        "prefetche1 prefetche2 prefetchenta psbbd psbbrd psubrd psubrsetbd "
        "psubsetbd rcp23ps rndfxpntpd rndfxpntps rsqrt23ps scaleps scatterpf0hintdpd "
        "scatterpf0hintdps subrpd subrps clevict0 clevict1 delay spflt tzcnti jknzd jkzd "
        "kand kandn kandnr kconcath kconcatl kextract kmerge2l1h kmerge2l1l kmov knot kor "
        "kortest kxnor kxor"},
};

}  // namespace

std::span<const OperationRow> operation_rows() {
  return kRows;
}

}  // namespace bops::exact
